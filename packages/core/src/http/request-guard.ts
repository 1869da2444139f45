import type { IncomingMessage } from 'node:http';
import { valuesOf } from './headers.ts';
import type { RequestTarget } from './request-target.ts';
import { hostAgrees, parseConnectTarget, parseForwardTarget } from './request-target.ts';

/**
 * Refuses what Node's strict parser lets through and a next hop might read differently. Node itself has already
 * answered 400 to Content-Length with Transfer-Encoding, repeated Content-Length, odd Transfer-Encoding, obs-fold, bare
 * LF, a space before a colon, and control characters in the target.
 */
export type RequestKind = 'request' | 'connect' | 'upgrade';

export type GuardVerdict =
  | { readonly ok: true; readonly target: RequestTarget; readonly body: RequestBody }
  | { readonly ok: false; readonly why: string };

/** How the request's body is framed. `length` is in bytes and above 0. */
export type RequestBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' };

export type GuardedRequest = Pick<IncomingMessage, 'method' | 'url' | 'httpVersion' | 'rawHeaders'>;

const refuse = (why: string): GuardVerdict => ({ ok: false, why });

export function guardRequest(request: GuardedRequest, kind: RequestKind): GuardVerdict {
  const { method = '', url = '', httpVersion, rawHeaders } = request;
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return refuse(`HTTP/${httpVersion} in a request of HTTP/1`);
  const hosts = valuesOf(rawHeaders, 'host');
  if (hosts.length > 1) return refuse('more than one Host');
  // RFC 9112 §3.2. Where it is left out of CONNECT, nothing is in doubt: the target is all that it could say.
  if (hosts.length === 0 && httpVersion === '1.1' && kind !== 'connect') return refuse('no Host');
  // `headers` would show the first, a next hop may read the last.
  if (valuesOf(rawHeaders, 'proxy-authorization').length > 1) return refuse('more than one Proxy-Authorization');
  const body = bodyOf(rawHeaders);
  if (body === undefined) return refuse('a body whose length can be read in two ways');
  if (body.kind === 'chunked' && httpVersion === '1.0') return refuse('chunked in an HTTP/1.0 request');
  if (kind === 'connect' && body.kind !== 'none') return refuse('CONNECT with a body');
  const parsed = kind === 'connect' ? parseConnectTarget(url) : parseForwardTarget(method, url);
  if (!parsed.ok) return refuse(parsed.why);
  const { target } = parsed;
  const [host] = hosts;
  if (target.form === 'absolute' && host !== undefined && !hostAgrees(host, target)) {
    return refuse('Host names another place than the target');
  }
  return { ok: true, target, body };
}

function bodyOf(rawHeaders: readonly string[]): RequestBody | undefined {
  const codings = valuesOf(rawHeaders, 'transfer-encoding');
  const lengths = valuesOf(rawHeaders, 'content-length');
  if (codings.length + lengths.length > 1) return undefined;
  if (codings[0] !== undefined) return codings[0].toLowerCase() === 'chunked' ? { kind: 'chunked' } : undefined;
  const length = Number(lengths[0] ?? 0);
  return length === 0 ? { kind: 'none' } : { kind: 'length', length };
}
