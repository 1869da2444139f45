import type { Framing, ResponseContext } from '@chain407/core';
import { MessageError, ResponseReader } from '@chain407/core';
import { describe, expect, test } from '@jest/globals';
import { byteByByte, GET, readPieces } from './read-response.ts';

const HEAD: ResponseContext = { method: 'HEAD', upgrade: false };
const CONNECT: ResponseContext = { method: 'CONNECT', upgrade: false };
const UPGRADE: ResponseContext = { method: 'GET', upgrade: true };
const H = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${H}Transfer-Encoding: chunked\r\n\r\n`;

interface Wanted {
  readonly framing: Framing;
  readonly body?: string;
  readonly persistent?: boolean;
  readonly version?: '1.0' | '1.1';
  readonly status?: number;
  readonly reason?: string;
  readonly headers?: readonly string[];
  readonly trailers?: readonly string[];
  readonly informational?: readonly number[];
}

const NONE: Framing = { kind: 'none' };
const TUNNEL: Framing = { kind: 'tunnel' };
const length = (bytes: number): Framing => ({ kind: 'length', length: bytes });

/** Without a row's own word a response is 200 OK in HTTP/1.1, has no body, trailers or 1xx, and its connection stays. */
const READ: readonly (readonly [name: string, message: string, wanted: Wanted, context?: ResponseContext])[] = [
  ['a length', `${H}Content-Length: 5\r\n\r\nhello`, { framing: length(5), body: 'hello' }],
  ['a length of zero', `${H}Content-Length: 0\r\n\r\n`, { framing: NONE }],
  ['a length with spaces about it', `${H}Content-Length:\t 2 \t\r\n\r\nhi`, { framing: length(2), body: 'hi' }],
  [
    'chunks of any spelling of hex',
    `${CHUNKED}5\r\nhello\r\n000A\r\n0123456789\r\na\r\nabcdefghij\r\n0\r\n\r\n`,
    { framing: { kind: 'chunked' }, body: 'hello0123456789abcdefghij' },
  ],
  [
    'chunks that hold line ends',
    `${CHUNKED}4\r\n\r\n\r\n\r\n0\r\n\r\n`,
    { framing: { kind: 'chunked' }, body: '\r\n\r\n' },
  ],
  [
    'chunk extensions',
    `${CHUNKED}2;a;b=c;d="e;\\"f\t"\r\nhi\r\n0;last\r\n\r\n`,
    { framing: { kind: 'chunked' }, body: 'hi' },
  ],
  [
    'trailers',
    `${CHUNKED}1\r\nx\r\n0\r\nA: 1\r\na:  2 \r\n\r\n`,
    { framing: { kind: 'chunked' }, body: 'x', trailers: ['A', '1', 'a', '2'] },
  ],
  ['a coding of any letter case', `${H}transfer-encoding: Chunked\r\n\r\n0\r\n\r\n`, { framing: { kind: 'chunked' } }],
  ['no body after 204', 'HTTP/1.1 204 No Content\r\n\r\n', { framing: NONE, status: 204, reason: 'No Content' }],
  [
    'no body after 304, whatever its length says',
    'HTTP/1.1 304 -\r\nContent-Length: 9\r\n\r\n',
    { framing: NONE, status: 304, reason: '-' },
  ],
  ['no body after HEAD, whatever its length says', `${H}Content-Length: 9\r\n\r\n`, { framing: NONE }, HEAD],
  ['no body after HEAD, whatever its coding says', `${H}Transfer-Encoding: chunked\r\n\r\n`, { framing: NONE }, HEAD],
  [
    '1xx before the answer',
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${H}Content-Length: 1\r\n\r\n!`,
    { framing: length(1), body: '!', informational: [100, 103] },
  ],
  ['no reason phrase and no space for it', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', { framing: NONE, reason: '' }],
  ['an empty reason phrase', 'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n', { framing: NONE, reason: '' }],
  [
    'order, case, repeats and bytes of fields',
    `${H}B: 1\r\na:2\r\nb:\t\r\nContent-length: 0\r\nC: \xe9 \t x\r\n\r\n`,
    { framing: NONE, headers: ['B', '1', 'a', '2', 'b', '', 'Content-length', '0', 'C', '\xe9 \t x'] },
  ],
  [
    'HTTP/1.0, which closes',
    'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx',
    { framing: length(1), body: 'x', version: '1.0', persistent: false },
  ],
  [
    'HTTP/1.0 that stays open',
    'HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx',
    { framing: length(1), body: 'x', version: '1.0' },
  ],
  [
    'HTTP/1.0 that stays open, in the words of old proxies',
    'HTTP/1.0 200 OK\r\nProxy-Connection: keep-alive\r\nContent-Length: 0\r\n\r\n',
    { framing: NONE, version: '1.0' },
  ],
  [
    'close among other options',
    `${H}Connection: x, CLOSE\r\nContent-Length: 0\r\n\r\n`,
    { framing: NONE, persistent: false },
  ],
  [
    'close in the words of old proxies',
    `${H}Proxy-Connection: close\r\nContent-Length: 0\r\n\r\n`,
    { framing: NONE, persistent: false },
  ],
  ['2xx to CONNECT, which is a tunnel', 'HTTP/1.1 200 OK\r\n\r\n', { framing: TUNNEL }, CONNECT],
  [
    '2xx to CONNECT with a length that counts for nothing',
    `${H}Content-Length: 3\r\n\r\n`,
    { framing: TUNNEL },
    CONNECT,
  ],
  [
    '2xx to CONNECT in HTTP/1.0',
    'HTTP/1.0 200 OK\r\n\r\n',
    { framing: TUNNEL, version: '1.0', persistent: false },
    CONNECT,
  ],
  [
    'a refusal of CONNECT with its body',
    'HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno',
    { framing: length(2), body: 'no', status: 407, reason: 'No' },
    CONNECT,
  ],
  [
    '101 that was asked for',
    'HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
    { framing: TUNNEL, status: 101, reason: 'Go' },
    UPGRADE,
  ],
  ['an Upgrade that is ignored', `${H}Content-Length: 2\r\n\r\nok`, { framing: length(2), body: 'ok' }, UPGRADE],
];

const DEFAULTS = { version: '1.1', status: 200, reason: 'OK', persistent: true } as const;

function expected({ body = '', trailers = [], informational = [], ...head }: Wanted, rest: string): object {
  return { ok: true, informational, head: { ...DEFAULTS, ...head }, body, trailers, rest };
}

describe.each(READ)('reads %s', (_name, message, wanted, context = GET) => {
  const bytes = Buffer.from(message, 'latin1');

  test.each(['', '\0garbage \r\n\r\n', 'HTTP/1.1 500 Other\r\n\r\n'])(
    'followed by %j, whole and byte by byte',
    (tail) => {
      const all = Buffer.concat([bytes, Buffer.from(tail, 'latin1')]);
      expect(readPieces([all], context, { close: false })).toMatchObject(expected(wanted, tail));
      expect(readPieces(byteByByte(all), context, { close: false })).toMatchObject(expected(wanted, tail));
    },
  );

  test('and says truncated, wherever it is cut', () => {
    for (let cut = 0; cut < bytes.length; cut += 1) {
      expect([cut, readPieces([bytes.subarray(0, cut)], context)]).toEqual([cut, { ok: false, code: 'truncated' }]);
      expect(readPieces([bytes.subarray(0, cut)], context, { close: false })).toEqual({ ok: 'waiting' });
    }
  });
});

describe('a body that ends with the connection', () => {
  const CLOSE: Framing = { kind: 'close' };
  test.each([
    ['in HTTP/1.1', 'HTTP/1.1 200 OK\r\n\r\n', '1.1'],
    ['in HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\n', '1.0'],
    ['in HTTP/1.0, although it says keep-alive', 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n', '1.0'],
  ] as const)('%s is all that comes, and the connection is of no more use', (_name, head, version) => {
    for (const body of ['', 'x', 'HTTP/1.1 200 OK\r\n\r\n']) {
      const all = Buffer.from(head + body);
      const wanted = expected({ framing: CLOSE, body, version, persistent: false }, '');
      expect(readPieces([all], GET)).toMatchObject(wanted);
      expect(readPieces(byteByByte(all), GET)).toMatchObject(wanted);
      expect(readPieces([all], GET, { close: false })).toEqual({ ok: 'waiting' });
    }
  });
});

const BIG = 'x'.repeat(5000);
const MALFORMED: readonly (readonly [
  name: string,
  message: string,
  code: MessageError['code'],
  context?: ResponseContext,
])[] = [
  ['a bare LF after the status line', 'HTTP/1.1 200 OK\nA: b\r\n\r\n', 'malformed-head'],
  ['a bare LF after a field', `${H}A: b\nC: d\r\n\r\n`, 'malformed-head'],
  ['a bare CR in a field', `${H}A: b\rC: d\r\n\r\n`, 'malformed-head'],
  ['a CR too many', `${H}A: b\r\r\n\r\n`, 'malformed-head'],
  ['NUL in a field', `${H}A: b\0\r\n\r\n`, 'malformed-head'],
  ['DEL in a field', `${H}A: b\x7f\r\n\r\n`, 'malformed-head'],
  ['a folded line', `${H}A: b\r\n c\r\n\r\n`, 'malformed-head'],
  ['a folded first line', `${H} A: b\r\n\r\n`, 'malformed-head'],
  ['a space before the colon', `${H}Content-Length : 1\r\n\r\nx`, 'malformed-head'],
  ['a field without a colon', `${H}Content-Length\r\n\r\n`, 'malformed-head'],
  ['a field without a name', `${H}: x\r\n\r\n`, 'malformed-head'],
  ['an empty line before the status line', `\r\n${H}\r\n`, 'malformed-head'],
  ['HTTP/2.0', 'HTTP/2.0 200 OK\r\n\r\n', 'malformed-head'],
  ['HTTP/0.9', 'HTTP/0.9 200 OK\r\n\r\n', 'malformed-head'],
  ['http in lower case', 'http/1.1 200 OK\r\n\r\n', 'malformed-head'],
  ['another protocol', 'ICY 200 OK\r\n\r\n', 'malformed-head'],
  ['a status of two digits', 'HTTP/1.1 99 OK\r\n\r\n', 'malformed-head'],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n', 'malformed-head'],
  ['a status below 100', 'HTTP/1.1 099 OK\r\n\r\n', 'malformed-head'],
  ['two equal lengths', `${H}Content-Length: 1\r\nContent-Length: 1\r\n\r\nx`, 'malformed-framing'],
  ['two lengths in one line', `${H}Content-Length: 1, 1\r\n\r\nx`, 'malformed-framing'],
  ['an empty length', `${H}Content-Length:\r\n\r\n`, 'malformed-framing'],
  ['a length with a sign', `${H}Content-Length: +1\r\n\r\nx`, 'malformed-framing'],
  ['a negative length', `${H}Content-Length: -1\r\n\r\nx`, 'malformed-framing'],
  ['a length in hex', `${H}Content-Length: 0x1\r\n\r\nx`, 'malformed-framing'],
  ['a length beyond what a number holds', `${H}Content-Length: 9007199254740993\r\n\r\n`, 'malformed-framing'],
  ['a length that is no number, after HEAD too', `${H}Content-Length: z\r\n\r\n`, 'malformed-framing', HEAD],
  ['a length that is no number, with 304 too', 'HTTP/1.1 304 x\r\nContent-Length: z\r\n\r\n', 'malformed-framing'],
  ['a length that is no number, in 2xx to CONNECT too', `${H}Content-Length: z\r\n\r\n`, 'malformed-framing', CONNECT],
  ['length and coding', `${H}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 'malformed-framing'],
  [
    'coding and length, after HEAD too',
    `${H}Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n`,
    'malformed-framing',
    HEAD,
  ],
  [
    'coding and length, in 2xx to CONNECT too',
    `${H}Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n`,
    'malformed-framing',
    CONNECT,
  ],
  ['two codings', `${H}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 'malformed-framing'],
  ['chunked after another coding', `${H}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, 'malformed-framing'],
  ['chunked before another coding', `${H}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`, 'malformed-framing'],
  ['identity', `${H}Transfer-Encoding: identity\r\n\r\n`, 'malformed-framing'],
  ['an empty coding', `${H}Transfer-Encoding:\r\n\r\n`, 'malformed-framing'],
  ['almost chunked', `${H}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, 'malformed-framing'],
  ['chunked in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 'malformed-framing'],
  ['a chunk size with a sign', `${CHUNKED}+1\r\nx\r\n0\r\n\r\n`, 'malformed-chunk'],
  ['a negative chunk size', `${CHUNKED}-1\r\nx\r\n0\r\n\r\n`, 'malformed-chunk'],
  ['a chunk size with 0x', `${CHUNKED}0x1\r\nx\r\n0\r\n\r\n`, 'malformed-chunk'],
  ['a chunk size of too many digits', `${CHUNKED}ffffffffffffffff1\r\nx\r\n0\r\n\r\n`, 'malformed-chunk'],
  ['no chunk size', `${CHUNKED}\r\nx\r\n0\r\n\r\n`, 'malformed-chunk'],
  ['an extension without a chunk size', `${CHUNKED};a\r\nx\r\n0\r\n\r\n`, 'malformed-chunk'],
  ['a space before a chunk size', `${CHUNKED} 1\r\nx\r\n0\r\n\r\n`, 'malformed-chunk'],
  ['a space after a chunk size', `${CHUNKED}1 \r\nx\r\n0\r\n\r\n`, 'malformed-chunk'],
  ['a bare LF after a chunk size', `${CHUNKED}1\nx\r\n0\r\n\r\n`, 'malformed-chunk'],
  ['a bare CR after a chunk size', `${CHUNKED}1\rx\r\n0\r\n\r\n`, 'malformed-chunk'],
  ['a bare LF in a chunk extension', `${CHUNKED}1;a\nx\r\n0\r\n\r\n`, 'malformed-chunk'],
  ['a bare LF in a quoted chunk extension', `${CHUNKED}1;a="\n"\r\nx\r\n0\r\n\r\n`, 'malformed-chunk'],
  ['a bare CR in a chunk extension', `${CHUNKED}1;a=\r\r\nx\r\n0\r\n\r\n`, 'malformed-chunk'],
  ['a chunk extension without a name', `${CHUNKED}1;\r\nx\r\n0\r\n\r\n`, 'malformed-chunk'],
  ['a chunk extension whose quotes do not close', `${CHUNKED}1;a="b\r\nx\r\n0\r\n\r\n`, 'malformed-chunk'],
  ['a chunk extension without end', `${CHUNKED}1;${BIG}`, 'malformed-chunk'],
  ['a chunk longer than its size', `${CHUNKED}1\r\nxy\r\n0\r\n\r\n`, 'malformed-chunk'],
  ['a chunk that ends in a bare LF', `${CHUNKED}1\r\nx\n0\r\n\r\n`, 'malformed-chunk'],
  ['a trailer with a bare LF', `${CHUNKED}0\r\nA: b\n\r\n`, 'malformed-chunk'],
  ['a trailer with a space before its colon', `${CHUNKED}0\r\nA : b\r\n\r\n`, 'malformed-head'],
  ['a folded trailer', `${CHUNKED}0\r\nA: b\r\n c\r\n\r\n`, 'malformed-head'],
  ['a length in the trailers', `${CHUNKED}0\r\nContent-Length: 1\r\n\r\n`, 'malformed-framing'],
  ['a coding in the trailers', `${CHUNKED}0\r\ntransfer-encoding: chunked\r\n\r\n`, 'malformed-framing'],
  ['101 that nobody asked for', 'HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n', 'unexpected-upgrade'],
  ['101 to CONNECT', 'HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n', 'unexpected-upgrade', CONNECT],
  ['1xx without end', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(33), 'malformed-head'],
];

describe('throws', () => {
  test.each(MALFORMED)('for %s', (_name, message, code, context = GET) => {
    const bytes = Buffer.from(message, 'latin1');
    expect(readPieces([bytes], context)).toEqual({ ok: false, code });
    expect(readPieces(byteByByte(bytes), context)).toEqual({ ok: false, code });
    expect(readPieces([Buffer.concat([bytes, Buffer.from(H)])], context)).toEqual({ ok: false, code });
  });

  test.each([
    ['a head that is too large', `${H}A: ${'x'.repeat(300)}\r\n\r\n`, 'head-too-large'],
    ['a head that is too large, before it has ended', `${H}A: ${'x'.repeat(300)}`, 'head-too-large'],
    ['a status line without end', `HTTP/1.1 200 ${'x'.repeat(260)}`, 'head-too-large'],
    ['trailers that are too large', `${CHUNKED}0\r\n${`A: ${'x'.repeat(50)}\r\n`.repeat(6)}\r\n`, 'malformed-chunk'],
    ['a trailer without end', `${CHUNKED}0\r\nA: ${'x'.repeat(300)}`, 'malformed-chunk'],
  ])('for %s, beyond the limit', (_name, message, code) => {
    const bytes = Buffer.from(message);
    for (const pieces of [[bytes], byteByByte(bytes)]) {
      expect(readPieces(pieces, GET, { maxHeadSize: 256 })).toEqual({ ok: false, code });
    }
  });

  test('a head as large as the limit is read', () => {
    const bytes = Buffer.from(`${H}A: ${'x'.repeat(256 - H.length - 3)}\r\n\r\n`);
    expect(bytes.length).toBe(256 + 4);
    for (const pieces of [[bytes], byteByByte(bytes)]) {
      expect(readPieces(pieces, GET, { maxHeadSize: 256 })).toMatchObject({ ok: true });
    }
  });

  test('for use after the end, which is a bug of ours', () => {
    const reader = new ResponseReader(GET, 256);
    reader.push(Buffer.from('HTTP/1.1 204 x\r\n\r\n'));
    expect([reader.next().kind, reader.next().kind]).toEqual(['head', 'end']);
    expect(() => reader.next()).toThrow(TypeError);
  });

  test('a message of its own, without a byte of the peer', () => {
    const reader = new ResponseReader(GET, 256);
    reader.push(Buffer.from('HTTP/1.1 200 OK\r\nhostile : text\r\n\r\n'));
    expect(() => reader.next()).toThrow(new MessageError('malformed-head', 'a header line is malformed'));
  });
});
