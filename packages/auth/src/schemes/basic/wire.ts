import { hasControls } from '../../controls.ts';
import { decodeText } from '../../decode-text.ts';
import { quote } from '../../grammar.ts';
import type { Challenge, Credentials } from '../../message.ts';
import { withParams, withToken } from '../../message.ts';
import { Secret } from '../../secret.ts';

/** Basic on the wire (RFC 7617): `Basic base64( user-id ":" password )`. */
export interface UserPass {
  readonly username: string;
  readonly password: Secret;
}

export type DecodedBasic =
  | { readonly ok: true; readonly userPass: UserPass }
  | { readonly ok: false; readonly why: string };

// CTL (RFC 5234, Appendix B.1), which neither part may contain (RFC 7617 §2). In a password U+0080 to U+009F may be: in
// ISO 8859-1 they are what a client of Windows sends for a euro sign or curly quotes.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not pass
const CTL = /[\x00-\x1f\x7f]/;
// Padding may be missing, as some clients leave it off.
const BASE64 = /^[A-Za-z0-9+/]+(={0,2})$/;

/**
 * The challenge, with `charset="UTF-8"` (RFC 7617 §2.1). Throws {@link AuthError} for a realm that no header line can
 * hold: here, when a tier starts, and not at its first 407.
 */
export function basicChallenge(realm: string): Challenge {
  quote(realm);
  return withParams('basic', [
    ['realm', realm],
    ['charset', 'UTF-8'],
  ]);
}

/** Why a user name cannot be sent by Basic (RFC 7617 §2), or `undefined`. */
export function unusableUserId(username: string): string | undefined {
  if (username.includes(':')) return 'Basic cannot carry a user name with a colon';
  return hasControls(username) ? 'the user name holds control characters' : undefined;
}

/** The same of a password. */
export function unusablePassword(password: Secret): string | undefined {
  return CTL.test(password.reveal()) ? 'the password holds control characters' : undefined;
}

/**
 * The credentials, in UTF-8 and normalised to NFC, as `charset="UTF-8"` asks (RFC 7617 §2.1) and as current clients do
 * without it. Call {@link unusableUserId} and {@link unusablePassword} first.
 */
export function encodeBasic(username: string, password: Secret): Credentials {
  const text = `${username}:${password.reveal()}`.normalize('NFC');
  return withToken('basic', Buffer.from(text, 'utf8').toString('base64'));
}

/** Reads credentials, in NFC. The user name ends at the first colon, the password may hold more. */
export function decodeBasic(credentials: Credentials): DecodedBasic {
  const { token68 } = credentials;
  if (token68 === undefined) return { ok: false, why: 'Basic credentials without a token' };
  if (!isBase64(token68)) return { ok: false, why: 'Basic credentials that are no base64' };
  const text = decodeText(Buffer.from(token68, 'base64')).normalize('NFC');
  const colon = text.indexOf(':');
  if (colon < 0) return { ok: false, why: 'Basic credentials without a colon' };
  const username = text.slice(0, colon);
  if (CTL.test(text) || hasControls(username)) {
    return { ok: false, why: 'Basic credentials with control characters' };
  }
  return { ok: true, userPass: { username, password: new Secret(text.slice(colon + 1)) } };
}

function isBase64(text: string): boolean {
  const padding = BASE64.exec(text)?.[1];
  if (padding === undefined) return false;
  return padding === '' ? text.length % 4 !== 1 : text.length % 4 === 0;
}
