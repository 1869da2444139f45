import { decodeText } from '@chain407/auth';

/**
 * The lines of Squid's helper protocol (wiki.squid-cache.org/Features/AddonHelpers): one request, one reply, each a
 * line. Replies are read as Squid's src/helper/Reply.cc reads them. Knows no process and no scheme's meaning.
 */

/** `OK|ERR`: yes or no. `BH`: the helper cannot tell. `TT|AF|NA`: next leg, yes and no of ntlm and negotiate. */
export type HelperResult = 'OK' | 'ERR' | 'BH' | 'TT' | 'AF' | 'NA';

export interface HelperReply {
  readonly result: HelperResult;
  /** The `key=value` pairs, in order; a key may repeat (`group`). */
  readonly notes: ReadonlyMap<string, readonly string[]>;
  /** What is left: the operands of `TT` and `AF`, the free text of the others. */
  readonly text: string;
}

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

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not pass
const CONTROL = /[\x00-\x1f\x7f-\x9f\u2028\u2029]/;

/**
 * `"user":"realm"`. Helpers look for `":"` and undo no escapes, so that a user name with a quote could ask for another
 * realm: Squid refuses those too.
 */
export function digestRequest(username: string, realm: string): HelperRequest {
  for (const [what, text] of [['user name', username] as const, ['realm', realm] as const]) {
    if (text === '') return refused(`an empty ${what}`);
    if (text.includes('"')) return refused(`a ${what} with a quote`);
    if (CONTROL.test(text)) return refused(`a ${what} with control characters`);
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

/** Bytes, as ISO 8859-1 text, to characters: UTF-8, or ISO 8859-1 from a helper that knows no other. */
export function characters(bytes: string): string {
  return decodeText(Buffer.from(bytes, 'latin1'));
}

/** `channel rest` with concurrency on, or `undefined` where the line does not begin so. */
export function takeChannel(line: string): { readonly channel: number; readonly rest: string } | undefined {
  const match = /^(\d{1,9})(?: +(.*))?$/.exec(line);
  return match === null ? undefined : { channel: Number(match[1]), rest: match[2] ?? '' };
}

/** A `BH` of our own: what came is no reply. It is not repeated: it may hold a hash. */
export function broken(why: string): HelperReply {
  return { result: 'BH', notes: new Map([['message', [why]]]), text: '' };
}

const RESULT = /^(OK|ERR|BH|TT|AF|NA)(?: +(.*))?$/;

/** Not `trimEnd`, which takes the byte 0xa0 of a UTF-8 character for a space. */
function withoutTrailingSpaces(line: string): string {
  let end = line.length;
  while (end > 0 && line[end - 1] === ' ') end -= 1;
  return line.slice(0, end);
}

/** Reads a reply without its line feed, in bytes as ISO 8859-1 text. What is none becomes `BH` with the reason. */
export function parseReply(line: string): HelperReply {
  const match = RESULT.exec(withoutTrailingSpaces(line));
  if (match === null) return broken('a reply that begins with none of OK, ERR, BH, TT, AF and NA');
  const result = match[1] as HelperResult;
  const rest = match[2] ?? '';
  // Base64 that ends in "=" would pass for a note, and NA has always been followed by plain text.
  if (result === 'TT' || result === 'AF' || result === 'NA') {
    return { result, notes: new Map(), text: characters(rest) };
  }
  return { result, ...readNotes(rest) };
}

// Over bytes: \s would take 0xa0 for a space.
const KEY = /([A-Za-z0-9_-]+)=(?=[^ ])/y;
const QUOTED = /"([^"\\]*(?:\\.[^"\\]*)*)"(?: +|$)/y;
const PLAIN = /([^" ][^ ]*) */y;

function readNotes(rest: string): { readonly notes: ReadonlyMap<string, readonly string[]>; readonly text: string } {
  const notes = new Map<string, string[]>();
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(rest);
    if (match !== null) at += match[0].length;
    return match?.[1];
  };
  for (;;) {
    const from = at;
    const key = take(KEY);
    const quoted = key === undefined ? undefined : take(QUOTED);
    const plain = key === undefined || quoted !== undefined ? undefined : take(PLAIN);
    const value = quoted === undefined ? plain && unescaped(plain) : unquoted(quoted);
    if (key === undefined || value === undefined) return { notes, text: characters(rest.slice(from)) };
    const known = notes.get(key);
    if (known === undefined) notes.set(key, [characters(value)]);
    else known.push(characters(value));
  }
}

/** `\r` and `\n` stand for these two, any other `\x` for x. */
function unquoted(text: string): string {
  return text.replace(/\\(.)/g, (_pair, char: string) => (char === 'n' ? '\n' : char === 'r' ? '\r' : char));
}

function unescaped(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_escape, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** The first of the notes of this name. */
export function note(reply: HelperReply, key: string): string | undefined {
  return reply.notes.get(key)?.[0];
}

/** What the helper says about a reply that is no yes, for the log: one line, bounded. */
export function reasonOf(reply: HelperReply): string {
  const said = note(reply, 'message') ?? reply.text;
  const line = printable(said).slice(0, 200);
  return line === '' ? 'it gave no reason' : line;
}

/** A line from a stranger as it may stand in a log. */
export function printable(text: string): string {
  return text.replace(new RegExp(CONTROL, 'g'), ' ').trim();
}

export function hasControls(text: string): boolean {
  return CONTROL.test(text);
}
