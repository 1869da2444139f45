import { AuthError } from './errors.ts';
import type { AuthMessage, Challenge, Credentials, SchemeName } from './message.ts';

/**
 * The grammar of challenges and credentials. Knows no scheme: what a parameter means is for `schemes/`.
 *
 *     challenge   = auth-scheme [ 1*SP ( token68 / #auth-param ) ]      RFC 9110 §11.3
 *     auth-param  = token BWS "=" BWS ( token / quoted-string )         RFC 9110 §11.2
 *     token68     = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
 *
 * A list of challenges and the list of parameters inside one share the comma, so an element is read as a parameter of
 * the challenge before it wherever that is possible, and opens a new challenge otherwise. More is read than the ABNF
 * has: tabs where it wants SP, `Basic, realm="x"` with the comma before the first parameter, and stray commas around
 * credentials.
 *
 * Lines may be hostile and long. Patterns repeat one class of characters at a time, because V8 spends stack on every
 * turn of a repeated group; and no element is read more than a fixed number of times.
 */
const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const TOKEN68 = /[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))/y;
const EQUALS = /[ \t]*=[ \t]*/y;
// quoted-string (RFC 9110 §5.6.4): obs-text (a byte above 0x7f, as ISO 8859-1) is allowed, control characters are not.
const DQUOTE = /"/y;
const QDTEXT = /[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]*/y;
const QUOTED_PAIR = /\\([\t \x21-\x7e\x80-\xff])/y;
const SPACES = /[ \t]*/y;
const GAP = /[ \t]+/y;
// Empty list elements are legal for the recipient (RFC 9110 §5.6.1.2).
const COMMAS = /[ \t,]*/y;

/** Why a header line is not what the grammar says: where and what was expected there. */
export interface GrammarFault {
  /** The offset in the line where the list element starts that is at fault. */
  readonly at: number;
  readonly expected: string;
}

type ReadList =
  | { readonly ok: true; readonly list: AuthMessage[] }
  | { readonly ok: false; readonly fault: GrammarFault };

export type ParsedCredentials =
  | { readonly ok: true; readonly credentials: Credentials }
  | { readonly ok: false; readonly fault: GrammarFault };

/** All challenges of all `Proxy-Authenticate` lines, in order, and the faults of the lines that could not be read. */
export interface ParsedChallenges {
  readonly challenges: Challenge[];
  readonly faults: GrammarFault[];
}

class Cursor {
  at = 0;
  readonly line: string;

  constructor(line: string) {
    this.line = line;
  }

  get atEnd(): boolean {
    return this.at === this.line.length;
  }

  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.line);
    if (match === null) return undefined;
    this.at += match[0].length;
    return match;
  }

  /** True where a list element ends: a comma or the end of the line, after optional spaces. */
  atElementEnd(): boolean {
    const from = this.at;
    this.take(SPACES);
    const ends = this.atEnd || this.line[this.at] === ',';
    if (!ends) this.at = from;
    return ends;
  }
}

/** The text of a quoted-string, or `undefined` with the cursor anywhere. */
function takeQuoted(cursor: Cursor): string | undefined {
  cursor.take(DQUOTE);
  let text = cursor.take(QDTEXT)?.[0] ?? '';
  for (let pair = cursor.take(QUOTED_PAIR); pair !== undefined; pair = cursor.take(QUOTED_PAIR)) {
    text += `${pair[1]}${cursor.take(QDTEXT)?.[0] ?? ''}`;
  }
  return cursor.take(DQUOTE) === undefined ? undefined : text;
}

/** `[name, value]`, or `undefined` with the cursor where it was. */
function takeParam(cursor: Cursor): [string, string] | undefined {
  const from = cursor.at;
  const name = cursor.take(TOKEN)?.[0];
  if (name !== undefined && cursor.take(EQUALS) !== undefined) {
    const value = cursor.line[cursor.at] === '"' ? takeQuoted(cursor) : cursor.take(TOKEN)?.[0];
    if (value !== undefined && cursor.atElementEnd()) return [name.toLowerCase(), value];
  }
  cursor.at = from;
  return undefined;
}

interface Draft {
  readonly scheme: SchemeName;
  token68?: string;
  readonly params: Map<string, string>;
}

/** The head of a challenge: its scheme and, on the same element, a token68 or the first parameter. */
function takeHead(cursor: Cursor): Draft | undefined {
  const scheme = cursor.take(TOKEN)?.[0];
  if (scheme === undefined) return undefined;
  const draft: Draft = { scheme: scheme.toLowerCase() as SchemeName, params: new Map() };
  if (cursor.atElementEnd()) return draft;
  if (cursor.take(GAP) === undefined) return undefined;
  const token68 = cursor.take(TOKEN68)?.[0];
  if (token68 !== undefined) {
    cursor.take(SPACES);
    draft.token68 = token68;
    return draft;
  }
  const param = takeParam(cursor);
  if (param === undefined) return undefined;
  draft.params.set(param[0], param[1]);
  return draft;
}

/** A line as a list of challenges, or of credentials, which have the same form. */
function readList(line: string, most: number): ReadList {
  const cursor = new Cursor(line);
  const list: Draft[] = [];
  cursor.take(COMMAS);
  while (!cursor.atEnd) {
    const at = cursor.at;
    const open = list.at(-1);
    const param = open !== undefined && open.token68 === undefined ? takeParam(cursor) : undefined;
    if (param !== undefined && open !== undefined) {
      // RFC 9110 §11.2: a parameter name MUST occur only once per challenge.
      if (open.params.has(param[0])) return { ok: false, fault: { at, expected: `only one ${param[0]} parameter` } };
      open.params.set(param[0], param[1]);
    } else {
      const head = takeHead(cursor);
      if (head === undefined) return { ok: false, fault: { at, expected: 'an auth-scheme or a name=value parameter' } };
      if (list.length === most) return { ok: false, fault: { at, expected: 'one set of credentials, found two' } };
      list.push(head);
    }
    cursor.take(COMMAS);
  }
  return { ok: true, list };
}

/**
 * Reads the values of all `Proxy-Authenticate` lines. A line with a fault yields no challenge at all; the other lines
 * still count.
 */
export function parseChallenges(lines: readonly string[]): ParsedChallenges {
  const challenges: Challenge[] = [];
  const faults: GrammarFault[] = [];
  for (const line of lines) {
    const parsed = readList(line, Number.POSITIVE_INFINITY);
    if (!parsed.ok) faults.push(parsed.fault);
    else for (const challenge of parsed.list) challenges.push(challenge);
  }
  return { challenges, faults };
}

/** Reads the value of one `Proxy-Authorization` line: exactly one set of credentials. */
export function parseCredentials(line: string): ParsedCredentials {
  const parsed = readList(line, 1);
  if (!parsed.ok) return parsed;
  const [credentials] = parsed.list;
  if (credentials === undefined) return { ok: false, fault: { at: 0, expected: 'credentials' } };
  return { ok: true, credentials };
}

/** Reads a list of parameters without a scheme (RFC 9110 §11.7.3); `undefined` where it is none. */
export function parseParams(line: string): ReadonlyMap<string, string> | undefined {
  const cursor = new Cursor(line);
  const params = new Map<string, string>();
  cursor.take(COMMAS);
  while (!cursor.atEnd) {
    const param = takeParam(cursor);
    if (param === undefined || params.has(param[0])) return undefined;
    params.set(param[0], param[1]);
    cursor.take(COMMAS);
  }
  return params;
}

/** The spelling under which each scheme is registered; peers that compare with case exist. */
const SPELLING = new Map<string, string>([['ntlm', 'NTLM']]);

/** `Basic` for `basic`, `NTLM` for `ntlm`. */
export function spellScheme(scheme: SchemeName): string {
  return SPELLING.get(scheme) ?? scheme.charAt(0).toUpperCase() + scheme.slice(1);
}

/**
 * A quoted-string (RFC 9110 §5.6.4). Throws {@link AuthError} for a control character, which would be a header
 * injection, and for a character above U+00FF: a header line is bytes, and what cuts U+010A down to one makes a line
 * feed of it.
 */
export function quote(text: string): string {
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(text)) {
    throw new AuthError(
      'ERR_AUTH_INVALID_VALUE',
      'a header value holds neither control characters nor characters above U+00FF: leave them out',
    );
  }
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** `text` where all of it fits; the error does not show it, since a token68 is mostly a secret. */
function whole(pattern: RegExp, text: string, what: string): string {
  pattern.lastIndex = 0;
  if (pattern.exec(text)?.[0] !== text) {
    throw new AuthError('ERR_AUTH_INVALID_VALUE', `not ${what}: a character that it must not hold, or empty`);
  }
  return text;
}

/** The header value of one challenge or one set of credentials. Throws {@link AuthError} for what has no such form. */
export function formatMessage(message: AuthMessage): string {
  const scheme = whole(TOKEN, spellScheme(message.scheme), 'an auth-scheme');
  if (message.token68 !== undefined) return `${scheme} ${whole(TOKEN68, message.token68, 'a token68')}`;
  return message.params.size === 0 ? scheme : `${scheme} ${formatParams(message.params, message.bare)}`;
}

/** A list of parameters, as in `Proxy-Authentication-Info` (RFC 7615); those that `bare` names are written without quotes. */
export function formatParams(params: ReadonlyMap<string, string>, bare?: ReadonlySet<string>): string {
  return [...params]
    .map(([name, value]) => {
      const text = bare?.has(name) === true ? whole(TOKEN, value, `a token, as ${name} must be`) : quote(value);
      return `${whole(TOKEN, name, 'a parameter name')}=${text}`;
    })
    .join(', ');
}
