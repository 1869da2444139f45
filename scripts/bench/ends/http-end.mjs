/** A head longer than this is nobody's here. */
const HEAD_LIMIT = 65536;
/** cntlm keeps a connection only where its proxy says Proxy-Connection, as proxies did that it was written for. */
const OK = 'HTTP/1.1 200 OK\r\nProxy-Connection: keep-alive\r\n';
const TAKEN = Buffer.from(`${OK}Content-Length: 2\r\n\r\nok`);

const answers = new Map();

/** @param {number} size */
function answerOf(size) {
  const known = answers.get(size);
  if (known !== undefined) return known;
  const answer = Buffer.concat([
    Buffer.from(`${OK}Content-Type: application/octet-stream\r\nContent-Length: ${size}\r\n\r\n`),
    Buffer.alloc(size, 'x'),
  ]);
  answers.set(size, answer);
  return answer;
}

/**
 * An HTTP/1.1 server that does no more than the bench needs, so that it costs little beside the proxy that is measured: `/N`
 * gives N bytes, `/taken` takes any content with a Content-Length. No chunked content, no pipelining.
 *
 * @param {import('node:net').Socket} socket
 * @param {{
 *   refuse?: (head: string) => string | undefined,
 *   connect?: (socket: import('node:net').Socket, early: Buffer) => void,
 * }} hooks `refuse` gives the response to a head that is not served; `connect` takes a tunnel over
 */
export function serveHttp(socket, { refuse, connect }) {
  let held = '';
  let content = 0;
  let response = TAKEN;
  const onData = (/** @type {Buffer} */ bytes) => {
    if (content > 0) {
      content -= bytes.length;
      if (content <= 0) socket.write(response);
      return;
    }
    held = held === '' ? bytes.latin1Slice() : held + bytes.latin1Slice();
    const end = held.indexOf('\r\n\r\n');
    if (end < 0) {
      if (held.length > HEAD_LIMIT) socket.destroy();
      return;
    }
    const head = held.slice(0, end + 2);
    const rest = held.length - end - 4;
    const early = held.slice(end + 4);
    held = '';
    const refusal = refuse?.(head);
    if (refusal === undefined && connect !== undefined && head.startsWith('CONNECT ')) {
      socket.off('data', onData);
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      connect(socket, Buffer.from(early, 'latin1'));
      return;
    }
    response = refusal === undefined ? responseTo(head) : Buffer.from(refusal, 'latin1');
    content = head.startsWith('GET ') ? 0 : Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0) - rest;
    if (content <= 0) socket.write(response);
  };
  socket.on('data', onData);
}

function responseTo(head) {
  if (/\r\ntransfer-encoding:/i.test(head)) {
    return Buffer.from('HTTP/1.1 411 Length Required\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  }
  const size = /^\w+ \S*\/(\d+) /.exec(head)?.[1];
  return size === undefined ? TAKEN : answerOf(Number(size));
}
