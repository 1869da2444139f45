import { quote } from '../../grammar.ts';
import type { Challenge, Credentials } from '../../message.ts';
import { withParams, withToken } from '../../message.ts';
import { MASK, Secret } from '../../secret.ts';

/**
 * Bearer on the wire (RFC 6750):
 *
 *     b64token    = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="     §2.1
 *     credentials = "Bearer" 1*SP b64token
 */
const B64TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

/** RFC 6750 §3.1; what else a proxy says is for people. */
export type BearerError = 'invalid_request' | 'invalid_token' | 'insufficient_scope';

export type ReadToken = { readonly ok: true; readonly token: Secret } | { readonly ok: false; readonly why: string };

/**
 * The challenge; with `error` it says what was wrong with the token (RFC 6750 §3). Throws {@link AuthError} for a realm
 * that no header line can hold.
 */
export function bearerChallenge(
  realm: string,
  error?: { readonly error: BearerError; readonly error_description: string },
): Challenge {
  quote(realm);
  return withParams('bearer', [['realm', realm], ...Object.entries(error ?? {})]);
}

/** Why a token cannot be sent by Bearer (RFC 6750 §2.1), or `undefined`. Says nothing of the token itself. */
export function unusableToken(token: Secret): string | undefined {
  if (B64TOKEN.test(token.reveal())) return undefined;
  return 'the token holds characters that Bearer cannot carry (spaces, line breaks, quotes), or nothing';
}

/** Call {@link unusableToken} first. */
export function encodeBearer(token: Secret): Credentials {
  return withToken('bearer', token.reveal());
}

export function readBearer({ token68 }: Credentials): ReadToken {
  return token68 === undefined
    ? { ok: false, why: 'Bearer credentials without a token' }
    : { ok: true, token: new Secret(token68) };
}

/** The error code of a 407, or `undefined`. A proxy that offers several realms may give it in one of them. */
export function bearerError(challenges: readonly Challenge[]): string | undefined {
  return complaining(challenges)?.params.get('error');
}

/**
 * The token is good, but not for this request (RFC 6750 §3.1, `insufficient_scope`): recognised, not permitted. That a
 * 407 says so and not the 403 of the RFC happens, since a proxy has few other answers with a challenge.
 */
export function lacksScope(challenges: readonly Challenge[]): boolean {
  return bearerError(challenges.filter(({ scheme }) => scheme === 'bearer')) === 'insufficient_scope';
}

/** What a peer says of the token is shown up to this many characters. */
const MAX_COMPLAINT = 200;

/** Error code and description of a 407, for people: one line, short, and without the token, which some peers repeat. */
export function bearerComplaint(challenges: readonly Challenge[], token: Secret): string | undefined {
  const params = complaining(challenges)?.params;
  if (params === undefined) return undefined;
  const said = [params.get('error'), params.get('error_description')].filter(
    (text) => text !== undefined && text !== '',
  );
  // RFC 6750 §3: neither holds anything but printable ASCII without quotes; a peer may still send it.
  const shown = said
    .join(': ')
    .replaceAll(token.reveal(), MASK)
    .replace(/[^\x20-\x7e]/g, '?');
  return shown.length > MAX_COMPLAINT ? `${shown.slice(0, MAX_COMPLAINT - 3)}...` : shown;
}

const complaining = (challenges: readonly Challenge[]): Challenge | undefined =>
  challenges.find(({ params }) => (params.get('error') ?? '') !== '');
