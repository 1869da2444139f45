import assert from 'node:assert/strict';
import { MessageError, ResponseReader } from '../../packages/core/dist/index.js';
import { target } from './target.mjs';

const RESPONSES = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nT: 1\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 204 No Content\r\nConnection: close\r\n\r\n',
  'HTTP/1.1 200 Connection established\r\n\r\ntunnel',
];

target('responses', RESPONSES, (bytes) => {
  for (const method of ['GET', 'HEAD', 'CONNECT']) {
    // In one piece and byte by byte it must read the same.
    const whole = readResponse(method, [bytes]);
    const pieces = readResponse(
      method,
      [...bytes.subarray(0, 400)].map((byte) => Buffer.from([byte])),
    );
    if (bytes.length <= 400) assert.deepEqual(pieces, whole);
  }
});

function readResponse(method, pieces) {
  const reader = new ResponseReader({ method, upgrade: false }, 64 * 1024);
  const seen = { status: [], body: '', end: 'open' };
  try {
    for (const piece of pieces) {
      reader.push(piece);
      if (drain(reader, seen)) return seen;
    }
    reader.close();
    drain(reader, seen);
  } catch (error) {
    if (!(error instanceof MessageError)) throw error;
    seen.end = 'malformed';
    // How much of a body had come before the fault was found depends on the pieces.
    seen.body = '';
  }
  return seen;
}

/** True at the end of the response. */
function drain(reader, seen) {
  for (;;) {
    const event = reader.next();
    if (event.kind === 'need-data') return false;
    if (event.kind === 'head' || event.kind === 'informational') seen.status.push(event.head.status);
    if (event.kind === 'data') seen.body += event.data.toString('latin1');
    if (event.kind === 'end') {
      seen.end = 'end';
      return true;
    }
  }
}
