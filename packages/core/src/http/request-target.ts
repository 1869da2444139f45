import { isIPv6 } from 'node:net';

/**
 * What a request asks a proxy for (RFC 9112 §3.2). The text of path and query is never touched: `//` and `..` reach the
 * next hop, and a Digest hash, as the client wrote them.
 */
export type RequestTarget =
  | {
      readonly form: 'absolute';
      readonly scheme: 'http' | 'https';
      /** Lower case, an IPv6 address without brackets. */
      readonly host: string;
      readonly port: number;
      /** As written, without userinfo: the value of `Host`. */
      readonly authority: string;
      /** Origin-form: path and query, `/` where the client wrote none, `*` for OPTIONS of a whole server. */
      readonly path: string;
      /** Absolute-form, without userinfo, for a next proxy. */
      readonly absolute: string;
    }
  | { readonly form: 'authority'; readonly host: string; readonly port: number; readonly authority: string }
  | { readonly form: 'asterisk' };

export type ParsedTarget =
  | { readonly ok: true; readonly target: RequestTarget }
  | { readonly ok: false; readonly why: string };

const ABSOLUTE = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)([^#]*)$/;
// Of reg-name only what a name can hold: `%6c` and the like would be one host to us and another to the next hop. A zone
// identifier is for the machine that wrote it (RFC 6874 §4).
const AUTHORITY = /^(?:\[([0-9A-Fa-f:.]+)\]|([\w.~-]+))(?::([0-9]{1,5})?)?$/;
const DEFAULT_PORT = { http: 80, https: 443 } as const;

const bad = (why: string): ParsedTarget => ({ ok: false, why });

/** `host[:port]` as in `Host`; `undefined` where it is no authority. */
export function parseAuthority(text: string): { readonly host: string; readonly port?: number } | undefined {
  const match = AUTHORITY.exec(text);
  if (match === null || (match[1] !== undefined && !isIPv6(match[1]))) return undefined;
  const host = (match[1] ?? match[2] ?? '').toLowerCase();
  if (match[3] === undefined) return { host };
  const port = Number(match[3]);
  return port >= 1 && port <= 65_535 ? { host, port } : undefined;
}

/** The target of a plain or an Upgrade request. */
export function parseForwardTarget(method: string, url: string): ParsedTarget {
  if (url === '*')
    return method === 'OPTIONS' ? { ok: true, target: { form: 'asterisk' } } : bad('* as a target is for OPTIONS');
  if (url.startsWith('/')) {
    return bad(
      'this is a proxy: it needs the whole URL as the target (GET http://host/path); configure it as a proxy, not as a site',
    );
  }
  const match = ABSOLUTE.exec(url);
  if (match === null) return bad('the target is no absolute URL');
  const [, rawScheme = '', place = '', rest = ''] = match;
  const scheme = rawScheme.toLowerCase();
  if (scheme !== 'http' && scheme !== 'https') return bad(`this proxy forwards http and https, not ${scheme}`);
  const authority = place.slice(place.lastIndexOf('@') + 1);
  const parsed = parseAuthority(authority);
  if (parsed === undefined) return bad('the target has no valid host and port');
  const port = parsed.port ?? DEFAULT_PORT[scheme];
  // OPTIONS of a URL without path and query is `*` to the origin, but only the last proxy says so (RFC 9112 §3.2.4).
  const wholeServer = method === 'OPTIONS' && rest === '';
  const written = wholeServer || rest.startsWith('/') ? rest : `/${rest}`;
  const path = wholeServer ? '*' : written;
  const absolute = `${scheme}://${authority}${written}`;
  return { ok: true, target: { form: 'absolute', scheme, host: parsed.host, port, authority, path, absolute } };
}

/** The target of CONNECT: `host:port` and nothing else (RFC 9112 §3.2.3). */
export function parseConnectTarget(url: string): ParsedTarget {
  const parsed = parseAuthority(url);
  if (parsed?.port === undefined) return bad('CONNECT needs host:port, with a port from 1 to 65535');
  return { ok: true, target: { form: 'authority', host: parsed.host, port: parsed.port, authority: url } };
}

/** True where `Host` names the same place as the target (RFC 9112 §3.2). */
export function hostAgrees(host: string, target: Extract<RequestTarget, { form: 'absolute' }>): boolean {
  const parsed = parseAuthority(host);
  return (
    parsed !== undefined && parsed.host === target.host && (parsed.port ?? DEFAULT_PORT[target.scheme]) === target.port
  );
}
