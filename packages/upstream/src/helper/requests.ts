import { hasControls } from '@chain407/auth';

/**
 * Requests of Squid's helper protocol (wiki.squid-cache.org/Features/AddonHelpers), each a line without its line feed.
 */

/** A line to send, or why none can be made. */
export type HelperRequest = { readonly ok: true; readonly line: string } | { readonly ok: false; readonly why: string };

/** In bytes: what Squid's own helpers read at once; of a longer line they would take the rest for another request. */
const MAX_ACCOUNT_LINE = 8_192;
/** In bytes: of a Kerberos ticket with many groups 64 KiB are common practice, and base64 adds a third. */
export const MAX_LINE = 128 * 1024;

const refused = (why: string): HelperRequest => ({ ok: false, why });

/** For user names and passwords of basic: all that Squid's `rfc1738_escape` takes for unsafe, by UTF-8 bytes. */
const UNSAFE = /[^\x21-\x7e]|[<>"#%{}|\\^~[\]`']/g;

function escaped(text: string): string {
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  return bytes.replace(UNSAFE, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`);
}

function accountRequest(line: string): HelperRequest {
  // A channel-ID and a line feed come on top.
  return Buffer.byteLength(line) > MAX_ACCOUNT_LINE - 32 ? refused('longer than a helper reads') : { ok: true, line };
}

/**
 * `user password`, escaped. Empty ones are not asked about: a directory takes an empty password for an anonymous bind,
 * and says yes (RFC 4513 §5.1.2).
 */
export function basicRequest(username: string, password: string): HelperRequest {
  if (username === '') return refused('an empty user name');
  if (password === '') return refused('an empty password');
  return accountRequest(`${escaped(username)} ${escaped(password)}`);
}

/**
 * `"user":"realm"`. Helpers look for `":"` and undo no escapes, so that a user name with a quote could ask for another
 * realm: Squid refuses those too.
 */
export function digestRequest(username: string, realm: string): HelperRequest {
  for (const [what, text] of [['user name', username] as const, ['realm', realm] as const]) {
    if (text === '') return refused(`an empty ${what}`);
    if (text.includes('"')) return refused(`a ${what} with a quote`);
    if (hasControls(text)) return refused(`a ${what} with control characters`);
  }
  return accountRequest(`"${username}":"${realm}"`);
}

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** A token as ntlm and negotiate carry it. */
export function isBase64(text: string): boolean {
  return text.length % 4 === 0 && BASE64.test(text);
}

/** `YR token` opens a handshake, `KK token` goes on with it. The token must be base64. */
export function tokenRequest(verb: 'YR' | 'KK', token: string): HelperRequest {
  if (!isBase64(token)) return refused('a token that is not base64');
  return token.length > MAX_LINE - 32 ? refused('longer than a helper reads') : { ok: true, line: `${verb} ${token}` };
}
