import { describe, expect, test } from '@jest/globals';
import { endToEnd } from '../src/http/headers.ts';
import { byteByByte, GET, readPieces } from './read-response.ts';

/** Runs `task` and counts the bytes that it copies and searches: work that a peer could make us do again and again. */
function bytesHandled(task: () => void): number {
  const { copy, indexOf } = Buffer.prototype;
  const { concat } = Buffer;
  let handled = 0;
  Buffer.prototype.copy = function (this: Buffer, ...args: Parameters<Buffer['copy']>) {
    const copied = copy.apply(this, args);
    handled += copied;
    return copied;
  };
  Buffer.prototype.indexOf = function (this: Buffer, value: string | number | Uint8Array, from = 0) {
    handled += this.length - Number(from);
    return indexOf.call(this, value, Number(from));
  };
  Buffer.concat = (list, length) => {
    const all = concat(list, length);
    handled += all.length;
    return all;
  };
  try {
    task();
  } finally {
    Object.assign(Buffer.prototype, { copy, indexOf });
    Buffer.concat = concat;
  }
  return handled;
}

const KIB = 1024;
const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

describe('reading a response byte by byte handles each byte a bounded number of times', () => {
  test.each([
    ['one long field', `${OK}A: ${'x'.repeat(60 * KIB)}\r\nContent-Length: 0\r\n\r\n`],
    ['many fields', `${OK}${'A: b\r\n'.repeat(10 * KIB)}Content-Length: 0\r\n\r\n`],
    ['one chunk of a megabyte', `${CHUNKED}100000\r\n${'x'.repeat(KIB * KIB)}\r\n0\r\n\r\n`],
    ['many chunks', `${CHUNKED}${'1;a=b\r\nx\r\n'.repeat(10 * KIB)}0\r\n\r\n`],
    ['a long trailer', `${CHUNKED}0\r\nA: ${'x'.repeat(60 * KIB)}\r\n\r\n`],
    ['a long body', `${OK}Content-Length: ${64 * KIB}\r\n\r\n${'x'.repeat(64 * KIB)}`],
  ])('%s', (_name, message) => {
    const bytes = Buffer.from(message);
    let read: unknown;
    // Twice for growing, four for a delimiter that may begin in any of the last bytes, and the test's own concat.
    const handled = bytesHandled(() => {
      read = readPieces(byteByByte(bytes), GET);
    });
    expect(read).toMatchObject({ ok: true });
    expect(handled).toBeLessThan(8 * bytes.length);
  });

  test('the count sees a reader that puts its pieces together again for each byte', () => {
    const bytes = Buffer.alloc(KIB);
    let all: Buffer = Buffer.alloc(0);
    const handled = bytesHandled(() => {
      for (const piece of byteByByte(bytes)) all = Buffer.concat([all, piece]);
    });
    expect(handled).toBeGreaterThan(8 * bytes.length);
  });
});

/** With a pattern that tries every space, or a list that is gone through for every field, these take minutes. */
describe('text that is made to be slow is read all the same', () => {
  const spaces = ' \t'.repeat(500 * KIB);
  const limits = { maxHeadSize: 4 * KIB * KIB };

  test.each([
    ['spaces within a value', `${OK}Content-Length: 0\r\nA: x${spaces}y\r\n\r\n`, `x${spaces}y`],
    ['spaces around a value', `${OK}Content-Length: 0\r\nA: ${spaces}y${spaces}\r\n\r\n`, 'y'],
    ['nothing but spaces', `${OK}Content-Length: 0\r\nA: ${spaces}\r\n\r\n`, ''],
  ])('%s', (_name, message, value) => {
    const read = readPieces([Buffer.from(message)], GET, limits);
    expect(read.ok === true && read.head.headers.at(-1) === value).toBe(true);
  });

  test('spaces before what is no value', () => {
    const bytes = Buffer.from(`${OK}A:${spaces}\0\r\n\r\n`);
    expect(readPieces([bytes], GET, limits)).toEqual({ ok: false, code: 'malformed-head' });
  });

  test('a Connection that names as many fields as there are', () => {
    const fields = Array.from({ length: 100_000 }, (_, i) => [`x-${i}`, '']).flat();
    const named = fields.map((name) => `${name}-`).join();
    expect(endToEnd(['Connection', named, ...fields])).toEqual(fields);
  });
});
