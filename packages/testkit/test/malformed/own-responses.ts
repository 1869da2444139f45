import type { Asked } from './send-response.ts';

/** A response of our own. */
export interface OwnResponse {
  readonly id: string;
  readonly expect: 'must-reject' | 'must-not-desync';
  /** What it answers; `undefined`: anything, and what is expected is of the answer to GET. */
  readonly asked: readonly Asked[] | undefined;
  readonly text: string;
}

const SMUGGLED = 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled';
const ok = (fields: string, rest = ''): string => `HTTP/1.1 200 OK\r\n${fields}\r\n${rest}`;
const chunked = (body: string): string => ok('Transfer-Encoding: chunked\r\n', body);

const REJECTED: readonly (readonly [what: string, text: string])[] = [
  [
    'RFC 9112 §6.3: length and coding',
    ok('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
  ],
  ['RFC 9112 §6.3: two lengths', ok('Content-Length: 5\r\nContent-Length: 6\r\n', 'hello!')],
  ['RFC 9112 §6.3: a list of lengths', ok('Content-Length: 5, 6\r\n', 'hello!')],
  ['RFC 9112 §6.3: a length with a sign', ok('Content-Length: +5\r\n', 'hello')],
  ['RFC 9112 §6.3: a length beyond any number', ok('Content-Length: 99999999999999999999999\r\n', 'hello')],
  ['RFC 9112 §6.1: a coding that nobody asked for', ok('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n')],
  [
    'RFC 9112 §6.1: chunked in HTTP/1.0',
    'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  ],
  ['RFC 9112 §5.1: a space before the colon', ok('Content-Length : 5\r\n', 'hello')],
  ['RFC 9112 §5.2: a folded line', ok('X: a\r\n b\r\nContent-Length: 0\r\n')],
  ['RFC 9112 §2.2: bare LF', 'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello'],
  ['RFC 9112 §2.2: a bare CR in a value', ok('X: a\rY: b\r\nContent-Length: 0\r\n')],
  ['RFC 9110 §5.5: NUL in a value', ok('X: a\0b\r\nContent-Length: 0\r\n')],
  ['RFC 9112 §4: no status', 'HTTP/1.1 OK\r\nContent-Length: 0\r\n\r\n'],
  ['RFC 9112 §4: a status of two digits', 'HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n'],
  ['RFC 9112 §4: a status of four digits', 'HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n'],
  ['RFC 9112 §2.3: HTTP/0.9', 'hello'],
  ['RFC 9112 §2.3: another protocol', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
  ['RFC 9112 §2.3: HTTP/2.0', 'HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['RFC 9112 §7.1: a chunk size that is no number', chunked('z\r\nhello\r\n0\r\n\r\n')],
  ['RFC 9112 §7.1: a chunk longer than its size', chunked('3\r\nhello\r\n0\r\n\r\n')],
  ['RFC 9112 §7.1: a chunk size beyond any number', chunked('fffffffffffffffff\r\nhello\r\n0\r\n\r\n')],
  ['RFC 9112 §7.1: a size that ends in LF', chunked('5\nhello\r\n0\r\n\r\n')],
  ['RFC 9112 §7.1.1: LF in an extension', chunked('5;\nhello\r\n0\r\n\r\n')],
  ['RFC 9112 §8: cut in the head', 'HTTP/1.1 200 OK\r\nContent-Le'],
  ['RFC 9112 §8: cut in a body', ok('Content-Length: 500\r\n', 'hello')],
  ['RFC 9112 §8: cut in a chunk', chunked('50\r\nhello')],
  ['RFC 9112 §8: cut before the last chunk', chunked('5\r\nhello\r\n')],
  [
    'RFC 9110 §15.2.2: 101 that nobody asked for',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nabc',
  ],
  ['RFC 9112 §4: nothing at all', ''],
  [
    'RFC 9110 §15.2: 1xx without end',
    `${'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100)}${ok('Content-Length: 0\r\n')}`,
  ],
  ['RFC 6585 §5: a head that is too large', ok(`X: ${'x'.repeat(70_000)}\r\nContent-Length: 0\r\n`)],
];

const ONE_READING: readonly (readonly [what: string, text: string])[] = [
  ['RFC 9112 §9.2: a second response behind the first', ok('Content-Length: 5\r\n', `hello${SMUGGLED}`)],
  ['RFC 9112 §9.2: a second response behind chunks', chunked(`5\r\nhello\r\n0\r\n\r\n${SMUGGLED}`)],
  ['RFC 9110 §15.3.5: 204 with a body', `HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello`],
  ['RFC 9110 §15.4.5: 304 with a length', `HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n${SMUGGLED}`],
  [
    'RFC 9110 §15.2: 103 before the answer',
    `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok('Content-Length: 5\r\n', 'hello')}`,
  ],
  [
    'RFC 9110 §15.2: 100 with a length',
    `HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n${ok('Content-Length: 5\r\n', 'hello')}`,
  ],
  [
    'RFC 9110 §8.6: 103 with a length',
    `HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n${ok('Content-Length: 5\r\n', 'hello')}`,
  ],
  [
    'RFC 9112 §6.1: 103 with a coding',
    `HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n${ok('Content-Length: 5\r\n', 'hello')}`,
  ],
  ['RFC 9110 §15.3.5: 204 with a coding', `HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['RFC 9112 §6.3: a length of zero, and a body', ok('Content-Length: 0\r\n', SMUGGLED)],
  [
    'RFC 9112 §9.3: the last response, and one behind it',
    ok('Connection: close\r\nContent-Length: 5\r\n', `hello${SMUGGLED}`),
  ],
  ['RFC 9110 §6.5.1: a length in the trailers', chunked('5\r\nhello\r\n0\r\nContent-Length: 70\r\n\r\n')],
  ['RFC 9112 §7.1.2: trailers', chunked('5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n')],
  ['RFC 9112 §7.1.1: extensions', chunked('5;a=b\r\nhello\r\n0\r\n\r\n')],
  ['RFC 9112 §6.3: a body that ends with the connection', ok('', 'hello')],
  ['RFC 9112 §6.3: the same in HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\nhello'],
  ['RFC 9112 §4: no reason', 'HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\nhello'],
  ['RFC 9110 §7.6.1: Connection names the length', ok('Connection: content-length\r\nContent-Length: 5\r\n', 'hello')],
  [
    'RFC 9110 §7.6.1: hop-by-hop fields',
    ok('Keep-Alive: timeout=5\r\nProxy-Connection: x\r\nContent-Length: 5\r\n', 'hello'),
  ],
  [
    'RFC 9110 §15.5.8: 407 of whoever it is',
    'HTTP/1.1 407 X\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 5\r\n\r\nhello',
  ],
];

/** Where it matters what was asked. */
const BY_REQUEST: readonly OwnResponse[] = [
  {
    id: 'RFC 9110 §9.3.6: 200 to CONNECT with a length',
    expect: 'must-not-desync',
    asked: ['CONNECT'],
    text: ok('Content-Length: 5\r\n', SMUGGLED),
  },
  {
    id: 'RFC 9110 §9.3.6: 200 to CONNECT with a coding',
    expect: 'must-not-desync',
    asked: ['CONNECT'],
    text: chunked(SMUGGLED),
  },
  {
    id: 'RFC 9112 §6.3: 200 to CONNECT with both',
    expect: 'must-reject',
    asked: ['CONNECT'],
    text: ok('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', SMUGGLED),
  },
  {
    id: 'RFC 9110 §9.3.6: a refusal of CONNECT, and a response behind it',
    expect: 'must-not-desync',
    asked: ['CONNECT'],
    text: `HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno${SMUGGLED}`,
  },
  {
    id: 'RFC 9110 §15.2.2: 101 to CONNECT',
    expect: 'must-reject',
    asked: ['CONNECT'],
    text: 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nabc',
  },
  {
    id: 'RFC 9110 §9.3.2: HEAD with a body',
    expect: 'must-not-desync',
    asked: ['HEAD'],
    text: ok(`Content-Length: ${SMUGGLED.length}\r\n`, SMUGGLED),
  },
  {
    id: 'RFC 9110 §9.3.2: HEAD with chunks',
    expect: 'must-not-desync',
    asked: ['HEAD'],
    text: chunked(`5\r\nhello\r\n0\r\n\r\n${SMUGGLED}`),
  },
  {
    id: 'RFC 9112 §6.3: HEAD with two lengths',
    expect: 'must-reject',
    asked: ['HEAD'],
    text: ok('Content-Length: 5\r\nContent-Length: 6\r\n'),
  },
  {
    id: 'RFC 9110 §7.8: the switch that was offered',
    expect: 'must-not-desync',
    asked: ['Upgrade'],
    text: `HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n${SMUGGLED}`,
  },
  {
    id: 'RFC 9110 §8.6: a switch with a length',
    expect: 'must-not-desync',
    asked: ['Upgrade'],
    text: `HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\nContent-Length: 4\r\n\r\n${SMUGGLED}`,
  },
  {
    id: 'RFC 9110 §7.8: an offer that is ignored, and a response behind it',
    expect: 'must-not-desync',
    asked: ['Upgrade'],
    text: ok('Content-Length: 5\r\n', `hello${SMUGGLED}`),
  },
];

export const OWN_RESPONSES: readonly OwnResponse[] = [
  ...BY_REQUEST,
  ...REJECTED.map(([id, text]): OwnResponse => ({ id, expect: 'must-reject', asked: undefined, text })),
  ...ONE_READING.map(([id, text]): OwnResponse => ({ id, expect: 'must-not-desync', asked: undefined, text })),
];
