import { connect } from 'node:net';

/** Milliseconds without a byte. */
const SILENCE_LIMIT = 15_000;

/**
 * A connection that bytes are awaited on.
 *
 * @param {{ port: number, onread?: import('node:net').OnReadOpts }} options
 */
export function open({ port, onread }) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread });
  socket.setTimeout(SILENCE_LIMIT, () => socket.destroy(new Error(`not a byte for ${SILENCE_LIMIT / 1000} s`)));
  const closed = new Promise((resolve, reject) => {
    let failure;
    socket.once('error', (error) => {
      failure = error;
    });
    socket.once('close', () => (failure === undefined ? resolve() : reject(failure)));
  });
  // Whoever awaits it later is told all the same.
  closed.catch(() => undefined);
  return { socket, closed };
}

const END = '\r\n\r\n';

/**
 * Reads a response head from what arrives; `undefined` while it is not complete.
 *
 * @param {string} text
 */
function headOf(text) {
  const end = text.indexOf(END);
  if (end < 0) return undefined;
  return { status: Number(text.slice(9, 12)), head: text.slice(0, end), rest: text.length - end - END.length };
}

/**
 * Asks for a tunnel; resolves once it is there, with how many bytes have come behind the head.
 *
 * @param {{ socket: import('node:net').Socket, closed: Promise<void> }} connection
 * @param {{ target: string, credentials?: string }} options
 */
export async function askTunnel({ socket, closed }, { target, credentials }) {
  const own = credentials === undefined ? '' : `Proxy-Authorization: ${credentials}\r\n`;
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${own}\r\n`);
  let text = '';
  const arrived = new Promise((resolve) => {
    const onData = (bytes) => {
      text += bytes.latin1Slice();
      const head = headOf(text);
      if (head === undefined) return;
      socket.off('data', onData);
      resolve(head);
    };
    socket.on('data', onData);
  });
  const cut = closed.then(() => {
    throw new Error('closed before the answer to CONNECT');
  });
  cut.catch(() => undefined);
  const { status, rest } = await Promise.race([arrived, cut]);
  if (status === 200) return rest;
  socket.destroy();
  throw new Error(`${status} to CONNECT`);
}
