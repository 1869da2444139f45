import { CONTROLS, decodeText } from '@chain407/auth';

/**
 * Replies of Squid's helper protocol, each a line; read as Squid's src/helper/Reply.cc reads them. Knows no process and no
 * scheme's meaning.
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
function cannotTell(why: string): HelperReply {
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
  if (match === null) return cannotTell('a reply that begins with none of OK, ERR, BH, TT, AF and NA');
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
  const line = oneLine(said).slice(0, 200);
  return line === '' ? 'it gave no reason' : line;
}

/** A stranger's text as it may stand in a log. */
export function oneLine(text: string): string {
  return text.replace(CONTROLS, ' ').trim();
}
