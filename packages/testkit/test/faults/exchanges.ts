import type { Answers } from './next-hop.ts';

/** MS-NLMP §4.2.4.3. */
const TYPE_2 =
  'TlRMTVNTUAACAAAADAAMADgAAAAzgoriASNFZ4mrze8AAAAAAAAAACQAJABEAAAABgBwFwAAAA9TAGUAcgB2AGUAcgACAAwARABvAG0AYQBpAG4AAQAMAFMAZQByAHYAZQByAAAAAAA=';
const ask = (challenge: string): string =>
  `HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: ${challenge}\r\nContent-Length: 4\r\n\r\nask!`;
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789';
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n';
/** What the far end says first goes out behind the head of the 200. */
const TUNNEL = 'HTTP/1.1 200 Connection Established\r\n\r\n0123456789';

/** What everybody gets in the end who gets anything. */
export const BODY = '0123456789';

const granted = (method: string, chunked = false): string => (method === 'CONNECT' ? TUNNEL : chunked ? CHUNKED : OK);

const once =
  (challenge: string, chunked = false): Answers =>
  (credentials, method) =>
    credentials === undefined ? ask(challenge) : granted(method, chunked);

const handshake =
  (scheme: string): Answers =>
  (credentials, method, loggedIn) => {
    if (credentials === undefined) return loggedIn ? granted(method) : ask(scheme);
    return credentials.includes('TlRMTVNTUAAB') ? ask(`${scheme} ${TYPE_2}`) : granted(method);
  };

/** How a proxy that asks by this scheme answers; `none`: it asks nobody. */
export const PROXIES: Readonly<Record<string, Answers>> = {
  none: (_credentials, method) => granted(method),
  basic: once('Basic realm="r"'),
  digest: once('Digest realm="r", nonce="n", qop="auth"', true),
  'digest auth-int': once('Digest realm="r", nonce="n", qop="auth-int"'),
  bearer: once('Bearer realm="r"'),
  ntlm: handshake('NTLM'),
  negotiate: handshake('Negotiate'),
};

/** Of a client that has them itself. */
export const ALICE = `Proxy-Authorization: Basic ${Buffer.from('alice:secret').toString('base64')}\r\n`;

export type RequestName = 'GET' | 'POST' | 'large POST' | 'chunked POST' | 'CONNECT';

/** What can be asked of such a proxy: a body beyond `replayBody` is not hashed. */
export const requestsTo = (proxy: string): readonly RequestName[] =>
  proxy === 'digest auth-int' ? ['GET', 'POST', 'CONNECT'] : ['GET', 'POST', 'large POST', 'CONNECT'];

/** Beyond `replayBody` of the downstreams under test. */
const LARGE = 3_000;

const framed = (length: number): string => `Content-Length: ${length}\r\n\r\n${'x'.repeat(length)}`;

/** What comes behind the fields that all have. */
const REST: { readonly [N in RequestName]: string } = {
  GET: '\r\n',
  CONNECT: '\r\n',
  POST: framed(5),
  'large POST': framed(LARGE),
  'chunked POST': 'Transfer-Encoding: chunked\r\n\r\n3\r\nxxx\r\n2\r\nxx\r\n0\r\n\r\n',
};

/** `more`: fields, each a whole line. */
export function requestText(name: RequestName, authority: string, more = ''): string {
  const method = name.replace(/.* /, '');
  const target = method === 'CONNECT' ? authority : `http://${authority}/`;
  return `${method} ${target} HTTP/1.1\r\nHost: ${authority}\r\n${more}${REST[name]}`;
}

/** Where a message is cut: at every byte of its head and of a small body, at a few of a long one. */
export function offsets(text: string): number[] {
  const body = text.indexOf('\r\n\r\n') + 4;
  return [...text].map((_, at) => at).filter((at) => at <= body + 40 || at >= text.length - 2 || at % 500 === 0);
}
