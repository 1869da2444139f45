import { describe, expect, test } from '@jest/globals';
import { RequestReader } from '../src/request-reader.ts';

interface Read {
  readonly head: string;
  readonly body: string;
  readonly rest: string;
}

/** Reads `text` in pieces of `size` bytes; `undefined` where it is not complete. */
function read(text: string, size: number): Read | undefined {
  const reader = new RequestReader();
  let head = '';
  let body = '';
  for (let at = 0; at < text.length; at += size) {
    reader.push(Buffer.from(text.slice(at, at + size), 'latin1'));
    for (;;) {
      const event = reader.next();
      if (event.kind === 'need-data') break;
      if (event.kind === 'head') head = `${event.head.method} ${event.head.target} ${event.head.version}`;
      else if (event.kind === 'data') body += event.data.toString('latin1');
      else return { head, body, rest: reader.rest.toString('latin1') + text.slice(at + size) };
    }
  }
  return undefined;
}

describe.each([
  ['whole', 10_000],
  ['byte by byte', 1],
  ['in threes', 3],
])('a request that comes %s', (_how, size) => {
  test.each([
    ['no body', 'GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\ntail', 'GET http://x/ 1.1', ''],
    ['a length', 'POST /a HTTP/1.0\r\ncontent-length: 3\r\n\r\nabctail', 'POST /a 1.0', 'abc'],
    [
      'chunks',
      'PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\ntail',
      'PUT / 1.1',
      'abc',
    ],
    ['CONNECT', 'CONNECT x:1 HTTP/1.1\r\nContent-Length: 3\r\n\r\ntail', 'CONNECT x:1 1.1', ''],
  ])('is read to its end: %s', (_kind, text, head, body) => {
    expect(read(text, size)).toEqual({ head, body, rest: 'tail' });
  });
});

test.each([
  ['a request line without a version', 'GET /\r\n\r\n'],
  ['a length that is no number', 'GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n'],
  ['a chunk without a size', 'GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n'],
])('%s cannot be read', (_what, text) => {
  expect(() => read(text, 10_000)).toThrow(expect.objectContaining({ name: 'MessageError' }));
});
