import type { Credentials } from '@chain407/auth';
import { formatMessage } from '@chain407/auth';
import type { RawHeaders, RequestBody, RequestKind, RequestTarget } from '@chain407/core';
import { endToEnd, upgradeFields } from '@chain407/core';

/** What a request to the next hop is made from; the same for all its legs but for the credentials. */
export interface HeadFacts {
  readonly kind: RequestKind;
  readonly target: RequestTarget;
  /** As the client sent them. */
  readonly headers: RawHeaders;
  readonly body: RequestBody;
  /** The protocol and pseudonym that this hop adds to `Via`. */
  readonly via: string;
  /** The next hop is the origin itself: origin-form, and never any proxy credentials. */
  readonly direct: boolean;
  /** It stands in for a request with a body, to find out what the next hop wants before the body is sent. */
  readonly standIn: boolean;
}

// Host is made anew.
const OWN: ReadonlySet<string> = new Set(['host']);
/** Clients of HTTP/1.0 expect nothing, whatever they say (RFC 9110 §10.1.1). */
const OWN_1_0: ReadonlySet<string> = new Set(['host', 'expect']);
/** Fields that describe a body, which a request without one must not carry. */
const BODY: ReadonlySet<string> = new Set(['content-length', 'content-type', 'content-encoding', 'expect', 'host']);

/** The target as it stands in the request line (RFC 9112 §3.2). */
export function targetText(target: RequestTarget, direct: boolean): string {
  switch (target.form) {
    case 'absolute':
      return direct ? target.path : target.absolute;
    case 'authority':
      return target.authority;
    case 'asterisk':
      return '*';
    default:
      return target satisfies never;
  }
}

/** The fields of the request, credentials last. */
export function requestHeaders(facts: HeadFacts, authorization: string | undefined): string[] {
  const { kind, target, headers, body, via, direct, standIn } = facts;
  const authority = target.form === 'asterisk' ? '' : target.authority;
  // Host is made anew from the target: the two must not be able to disagree (RFC 9112 §3.2.2).
  const own = via.startsWith('1.0 ') ? OWN_1_0 : OWN;
  const fields = ['Host', authority, ...endToEnd(headers, standIn ? BODY : own), 'Via', via];
  if (kind === 'upgrade') fields.push(...upgradeFields(headers));
  if (body.kind === 'chunked') fields.push('Transfer-Encoding', 'chunked');
  if (authorization !== undefined && !direct) fields.push('Proxy-Authorization', authorization);
  return fields;
}

/** The text of credentials; computed once per value, since known-good ones are sent with every request. */
const texts = new WeakMap<Credentials, string>();

export function authorizationText(credentials: Credentials): string {
  const known = texts.get(credentials);
  if (known !== undefined) return known;
  const text = formatMessage(credentials);
  texts.set(credentials, text);
  return text;
}
