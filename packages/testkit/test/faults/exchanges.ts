import type { Answers } from './faulty-hop.ts';

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
  bearer: once('Bearer realm="r"'),
  ntlm: handshake('NTLM'),
  negotiate: handshake('Negotiate'),
};

export type RequestName = 'GET' | 'POST' | 'large POST' | 'CONNECT';

/** Beyond `replayBody` of the downstreams under test. */
const LARGE = 3_000;

/** `more`: fields, each a whole line. */
export function requestText(name: RequestName, authority: string, more = ''): string {
  if (name === 'CONNECT') return `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${more}\r\n`;
  const length = name === 'GET' ? 0 : name === 'POST' ? 5 : LARGE;
  const fields = `Host: ${authority}\r\n${more}${length === 0 ? '' : `Content-Length: ${length}\r\n`}`;
  return `${name === 'GET' ? 'GET' : 'POST'} http://${authority}/ HTTP/1.1\r\n${fields}\r\n${'x'.repeat(length)}`;
}
