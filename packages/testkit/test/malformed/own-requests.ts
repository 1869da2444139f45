/** A request of our own: in absolute-form, `__ORIGIN__` for the next hop. */
export interface OwnRequest {
  readonly id: string;
  readonly expect: 'must-reject' | 'must-not-desync';
  readonly text: string;
}

const HOST = 'Host: __ORIGIN__\r\n';
const get = (fields: string, rest = ''): string => `GET http://__ORIGIN__/ HTTP/1.1\r\n${HOST}${fields}\r\n${rest}`;
const post = (fields: string, body: string): string =>
  `POST http://__ORIGIN__/ HTTP/1.1\r\n${HOST}${fields}\r\n${body}`;
const chunked = (body: string): string => post('Transfer-Encoding: chunked\r\n', body);
const SMUGGLED = 'GET http://__ORIGIN__/smuggled HTTP/1.1\r\nHost: __ORIGIN__\r\n\r\n';

const REJECTED: readonly (readonly [what: string, text: string])[] = [
  [
    'RFC 9112 §6.3: length and coding',
    post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
  ],
  [
    'RFC 9112 §6.3: coding and length',
    post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', `0\r\n\r\n${SMUGGLED}`),
  ],
  ['RFC 9112 §6.3: two lengths that differ', post('Content-Length: 0\r\nContent-Length: 70\r\n', SMUGGLED)],
  ['RFC 9112 §6.3: a list of lengths', post('Content-Length: 5, 5\r\n', 'hello')],
  ['RFC 9112 §6.3: a negative length', post('Content-Length: -1\r\n', 'x')],
  ['RFC 9112 §6.3: a length with a sign', post('Content-Length: +5\r\n', 'hello')],
  ['RFC 9112 §6.3: a length in hexadecimal', post('Content-Length: 0x5\r\n', 'hello')],
  ['RFC 9112 §6.3: a length beyond any number', post('Content-Length: 99999999999999999999999\r\n', 'x')],
  ['RFC 9112 §6.3: an empty length', post('Content-Length: \r\n', 'x')],
  ['RFC 9112 §6.1: a coding that nobody knows', post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n')],
  ['RFC 9112 §6.1: chunked that is not last', post('Transfer-Encoding: chunked, gzip\r\n', '0\r\n\r\n')],
  ['RFC 9112 §6.1: chunked twice', post('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n')],
  [
    'RFC 9112 §6.1: two lines of coding',
    post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', '0\r\n\r\n'),
  ],
  [
    'RFC 9112 §6.1: chunked in HTTP/1.0',
    `POST http://__ORIGIN__/ HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  ['RFC 9112 §5.1: a space before the colon', post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n')],
  ['RFC 9112 §5.1: a tab before the colon', get('X\t: a\r\n')],
  ['RFC 9112 §5.2: a folded line', get('X: a\r\n b\r\n')],
  ['RFC 9112 §2.2: white space before the first field', `GET http://__ORIGIN__/ HTTP/1.1\r\n ${HOST}\r\n`],
  ['RFC 9112 §2.2: bare LF', `GET http://__ORIGIN__/ HTTP/1.1\nHost: __ORIGIN__\n\n`],
  ['RFC 9112 §2.2: a bare CR in a value', get('X: a\rY: b\r\n')],
  ['RFC 9110 §5.5: NUL in a value', get('X: a\0b\r\n')],
  ['RFC 9110 §5.1: a name with a space', get('X Y: a\r\n')],
  ['RFC 9110 §5.1: no name', get(': a\r\n')],
  ['RFC 9112 §5: a line without a colon', get('nothing\r\n')],
  ['RFC 9112 §7.1: a chunk size that is no number', chunked('z\r\nhello\r\n0\r\n\r\n')],
  ['RFC 9112 §7.1: a chunk size with 0x', chunked('0x5\r\nhello\r\n0\r\n\r\n')],
  ['RFC 9112 §7.1: a negative chunk size', chunked('-5\r\nhello\r\n0\r\n\r\n')],
  ['RFC 9112 §7.1: a chunk size beyond any number', chunked('fffffffffffffffff\r\nhello\r\n0\r\n\r\n')],
  ['RFC 9112 §7.1: a chunk longer than its size', chunked('3\r\nhello\r\n0\r\n\r\n')],
  ['RFC 9112 §7.1: a chunk that ends in LF', chunked('5\r\nhello\n0\r\n\r\n')],
  ['RFC 9112 §7.1: a size that ends in LF', chunked('5\nhello\r\n0\r\n\r\n')],
  [
    'RFC 9112 §7.1.1: LF in an extension (CVE-2025-55315)',
    chunked(`2;\nxx\r\n${SMUGGLED.length.toString(16)}\r\n0\r\n\r\n${SMUGGLED}`),
  ],
  ['RFC 9112 §3: HTTP/0.9', 'GET http://__ORIGIN__/\r\n\r\n'],
  ['RFC 9112 §3: HTTP/2.0', `GET http://__ORIGIN__/ HTTP/2.0\r\n${HOST}\r\n`],
  ['RFC 9113 §3.4: the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['RFC 9112 §3: a tab in the request line', `GET\thttp://__ORIGIN__/ HTTP/1.1\r\n${HOST}\r\n`],
  ['RFC 9112 §3: a space in the target', `GET http://__ORIGIN__/a b HTTP/1.1\r\n${HOST}\r\n`],
  ['RFC 9112 §3.2: two Host', get('Host: other.test\r\n')],
  ['RFC 9112 §3.2: no Host', 'GET http://__ORIGIN__/ HTTP/1.1\r\nX: a\r\n\r\n'],
  [
    'RFC 9112 §3.2.2: Host that disagrees with the target',
    'GET http://__ORIGIN__/ HTTP/1.1\r\nHost: other.test\r\n\r\n',
  ],
  ['RFC 9112 §3.2: a list in Host', 'GET http://__ORIGIN__/ HTTP/1.1\r\nHost: __ORIGIN__, other.test\r\n\r\n'],
  ['RFC 9112 §3.2.1: origin-form', `GET / HTTP/1.1\r\n${HOST}\r\n`],
  ['RFC 9112 §3.2.4: an asterisk with GET', `GET * HTTP/1.1\r\n${HOST}\r\n`],
  ['RFC 9112 §3.2: another scheme', `GET ftp://__ORIGIN__/ HTTP/1.1\r\n${HOST}\r\n`],
  ['RFC 9110 §9.3.6: CONNECT with a length', `CONNECT __ORIGIN__ HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\nabc`],
  [
    'RFC 9110 §9.3.6: CONNECT with chunks',
    `CONNECT __ORIGIN__ HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  ['RFC 9110 §9.3.6: CONNECT without a port', `CONNECT origin.test HTTP/1.1\r\nHost: origin.test\r\n\r\n`],
  ['RFC 9110 §9.3.6: CONNECT to a URL', `CONNECT http://__ORIGIN__/ HTTP/1.1\r\n${HOST}\r\n`],
  [
    'RFC 9110 §11.7.2: two sets of credentials',
    get('Proxy-Authorization: Basic YTpi\r\nProxy-Authorization: Basic YTpj\r\n'),
  ],
  ['RFC 6585 §5: a head that is too large', get(`X: ${'x'.repeat(70_000)}\r\n`)],
  ['RFC 6585 §5: more fields than the limit', get('X: a\r\n'.repeat(300))],
  [
    'RFC 9112 §3.2: no Host on an Upgrade',
    'GET http://__ORIGIN__/ HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
  ],
  ['RFC 9110 §4.2: a target without a host', 'GET http:/// HTTP/1.1\r\nHost:\r\n\r\n'],
  ['RFC 9110 §4.2: an encoded host', 'GET http://127%2e0.0.1/ HTTP/1.1\r\nHost: 127%2e0.0.1\r\n\r\n'],
  ['RFC 9112 §3.2: userinfo in Host', 'GET http://__ORIGIN__/ HTTP/1.1\r\nHost: x@__ORIGIN__\r\n\r\n'],
  ['RFC 9112 §5.1: a folded Host', 'GET http://__ORIGIN__/ HTTP/1.1\r\nHost: __ORIGIN__\r\n other.test\r\n\r\n'],
  ['RFC 9112 §6.1: a coding with a vertical tab', post('Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n')],
  ['RFC 9112 §6.1: a coding in quotes', post('Transfer-Encoding: "chunked"\r\n', '0\r\n\r\n')],
  ['RFC 9112 §6.1: an empty coding', post('Transfer-Encoding:\r\n', '0\r\n\r\n')],
  ['RFC 9112 §6.3: a length with a decimal', post('Content-Length: 5.0\r\n', 'hello')],
  ['RFC 9112 §7.1: a size with a space', chunked('5 \r\nhello\r\n0\r\n\r\n')],
  ['RFC 9112 §7.1: no size', chunked(';a=b\r\nhello\r\n0\r\n\r\n')],
  ['RFC 9112 §7.1.2: a folded trailer', chunked('5\r\nhello\r\n0\r\nA: b\r\n c\r\n\r\n')],
  ['RFC 9112 §9.3.2: a good request, and one that is not behind it', get('') + post('Content-Length: x\r\n', 'x')],
  ['RFC 9112 §9.6: a request that is refused, and a good one behind it', get('Host: other.test\r\n') + get('')],
  [
    'RFC 9112 §9.6: CONNECT that is refused, and a good request behind it',
    `CONNECT __ORIGIN__ HTTP/1.1\r\n${HOST}Host: other.test\r\n\r\n${get('')}`,
  ],
  [
    'RFC 9112 §9.6: a request that is refused, and CONNECT behind it',
    `${get('Host: other.test\r\n')}CONNECT __ORIGIN__ HTTP/1.1\r\n${HOST}\r\n`,
  ],
  ['RFC 9110 §9.3.6: CONNECT to port 0', 'CONNECT 127.0.0.1:0 HTTP/1.1\r\nHost: 127.0.0.1:0\r\n\r\n'],
  ['RFC 9110 §9.3.6: CONNECT with userinfo', `CONNECT x:y@__ORIGIN__ HTTP/1.1\r\n${HOST}\r\n`],
  ['RFC 9110 §10.1.1: another expectation', get('Expect: 200-maybe\r\n')],
];

const ONE_READING: readonly (readonly [what: string, text: string])[] = [
  ['RFC 9112 §3: two spaces', `GET  http://__ORIGIN__/ HTTP/1.1\r\n${HOST}\r\n`],
  ['RFC 9112 §9.3.2: two requests at once', get('') + get('')],
  ['RFC 9112 §9.3.2: a body and a request behind it', post('Content-Length: 5\r\n', 'hello') + get('')],
  ['RFC 9112 §9.3.2: chunks and a request behind them', chunked('5\r\nhello\r\n0\r\n\r\n') + get('')],
  ['RFC 9112 §2.2: an empty line before the request', `\r\n${get('')}`],
  ['RFC 9112 §7.1.1: extensions', chunked('5;a=b;c="d e"\r\nhello\r\n0;x\r\n\r\n')],
  ['RFC 9112 §7.1.2: trailers', chunked('5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n')],
  ['RFC 9110 §6.5.1: a length in the trailers', chunked('5\r\nhello\r\n0\r\nContent-Length: 70\r\n\r\n') + SMUGGLED],
  ['RFC 9110 §6.5.1: a coding in the trailers', chunked('5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n')],
  ['RFC 9112 §6.3: a body of GET', get('Content-Length: 5\r\n', 'hello') + get('')],
  [
    'CVE-2026-29057: chunks of DELETE',
    `DELETE http://__ORIGIN__/ HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`,
  ],
  [
    'CVE-2026-29057: chunks of OPTIONS',
    `OPTIONS http://__ORIGIN__/ HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  ],
  [
    'RFC 9110 §7.6.1: Connection names the length',
    post(`Connection: content-length\r\nContent-Length: ${SMUGGLED.length}\r\n`, SMUGGLED),
  ],
  [
    'RFC 9110 §7.6.1: Connection names the coding',
    post('Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\n\r\n'),
  ],
  ['RFC 9110 §7.6.1: Connection names Host', get('Connection: host\r\n')],
  [
    'RFC 9110 §7.8: an upgrade with a body',
    post('Connection: upgrade\r\nUpgrade: foo\r\nContent-Length: 5\r\n', 'hello') + get(''),
  ],
  ['RFC 9112 §3.2.2: userinfo in the target', `GET http://user:password@__ORIGIN__/ HTTP/1.1\r\n${HOST}\r\n`],
  ['RFC 9112 §6.3: a length of many zeros', post('Content-Length: 000000005\r\n', 'hello')],
  ['RFC 9112 §6.1: the coding in capitals', post('Transfer-Encoding: CHUNKED\r\n', '5\r\nhello\r\n0\r\n\r\n')],
  ['RFC 9112 §9.3: a body that never ends', post('Content-Length: 500\r\n', 'hello')],
  ['RFC 9112 §9.3: chunks that never end', chunked('5\r\nhello\r\n')],
  ['RFC 9112 §2.1: a head that never ends', `GET http://__ORIGIN__/ HTTP/1.1\r\n${HOST}`],
  ['RFC 9112 §9.3: HTTP/1.0', 'GET http://__ORIGIN__/ HTTP/1.0\r\n\r\n'],
  ['RFC 9110 §10.1.4: TE, and what it names', get('TE: trailers\r\nConnection: TE\r\n')],
  ['RFC 9110 §6.5.1: Host in the trailers', chunked('5\r\nhello\r\n0\r\nHost: other.test\r\n\r\n') + get('')],
  ['RFC 9110 §11.7.2: credentials in the trailers', chunked('0\r\nProxy-Authorization: Basic YTpi\r\n\r\n')],
  ['RFC 9112 §9.6: the last request, and one behind it', get('Connection: close\r\n') + SMUGGLED],
  ['RFC 9112 §9.3: HTTP/1.0, and a request behind it', `GET http://__ORIGIN__/ HTTP/1.0\r\n\r\n${SMUGGLED}`],
  [
    'RFC 9112 §9.3: HTTP/1.0 that is kept alive',
    `GET http://__ORIGIN__/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n${get('')}`,
  ],
  ['RFC 9112 §9.3.2: many requests at once', get('').repeat(20)],
  [
    'RFC 9110 §7.8: an offer that is ignored, and a request behind it',
    get('Connection: upgrade\r\nUpgrade: x\r\n') + get(''),
  ],
  [
    'RFC 9110 §7.8: an offer of h2c with chunks',
    `POST http://__ORIGIN__/ HTTP/1.1\r\n${HOST}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n${get('')}`,
  ],
  [
    'RFC 9110 §9.3.6: CONNECT with a length of 0',
    `CONNECT __ORIGIN__ HTTP/1.1\r\n${HOST}Content-Length: 0\r\n\r\n${SMUGGLED}`,
  ],
  ['RFC 9110 §9.3.6: CONNECT without Host', `CONNECT __ORIGIN__ HTTP/1.1\r\n\r\n${SMUGGLED}`],
  [
    'RFC 9110 §9.3.6: a request, and CONNECT behind it',
    `${get('')}CONNECT __ORIGIN__ HTTP/1.1\r\n${HOST}\r\n${SMUGGLED}`,
  ],
  ['RFC 9110 §5.1: an underscore is no hyphen', get('Transfer_Encoding: chunked\r\nContent_Length: 5\r\n')],
  ['RFC 9110 §9.3.8: TRACE', `TRACE http://__ORIGIN__/ HTTP/1.1\r\n${HOST}\r\n`],
  ['RFC 9110 §10.1.1: a body that waits for 100', post('Expect: 100-continue\r\nContent-Length: 5\r\n', 'hello')],
  ['RFC 9110 §9.3.6: bytes behind CONNECT', `CONNECT __ORIGIN__ HTTP/1.1\r\n${HOST}\r\n${SMUGGLED}`],
];

export const OWN_REQUESTS: readonly OwnRequest[] = [
  ...REJECTED.map(([id, text]): OwnRequest => ({ id, expect: 'must-reject', text })),
  ...ONE_READING.map(([id, text]): OwnRequest => ({ id, expect: 'must-not-desync', text })),
];
