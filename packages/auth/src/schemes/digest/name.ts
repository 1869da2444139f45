import { hasControls } from '../../controls.ts';
import { decodeText, decodeUtf8 } from '../../decode-text.ts';
import type { DigestAlgorithm } from './algorithm.ts';
import { hexLength } from './algorithm.ts';

/** A user as Digest names one: in the clear or, by `userhash=true`, hashed, in lower-case hex (RFC 7616 §3.4.4). */
export type DigestName = { readonly username: string } | { readonly userhash: string };

export type ReadName = { readonly ok: true; readonly name: DigestName } | { readonly ok: false; readonly why: string };

/**
 * `username*` (RFC 7616 §3.4) in the form of RFC 8187 §3.2, which is its RFC 5987:
 *
 *     ext-value   = charset "'" [ language ] "'" value-chars
 *     value-chars = *( "%" HEXDIG HEXDIG / attr-char )
 */
const EXT_VALUE = /^utf-8'[A-Za-z0-9-]*'([%!#$&+\-.^_`|~0-9A-Za-z]*)$/i;
const BROKEN_ESCAPE = /%(?![0-9a-f]{2})/i;
// What `encodeURIComponent` leaves alone, and is no attr-char.
const NO_ATTR_CHAR = /[!'()*]/g;
const ASCII = /^[\x20-\x7e]*$/;
const LONE_SURROGATE = /\p{Surrogate}/u;
const HEX = /^[0-9a-f]+$/i;

/** Why a name cannot be sent, or `undefined`. */
export function unusableUsername(username: string): string | undefined {
  if (hasControls(username)) return 'the user name holds control characters';
  return LONE_SURROGATE.test(username) ? 'the user name is no Unicode text: half a surrogate pair' : undefined;
}

/** The parameters that carry a name, normalised to NFC. Call {@link unusableUsername} first. */
export function nameParams(name: DigestName): readonly (readonly [string, string])[] {
  if ('userhash' in name) {
    return [
      ['username', name.userhash],
      ['userhash', 'true'],
    ];
  }
  const username = name.username.normalize('NFC');
  return [ASCII.test(username) ? ['username', username] : ['username*', extValue(username)]];
}

function extValue(text: string): string {
  const escaped = encodeURIComponent(text).replace(NO_ATTR_CHAR, (char) =>
    char === '!' ? char : `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `UTF-8''${escaped}`;
}

/** Reads the name, in NFC. `most`: bytes that it may have. */
export function readName(params: ReadonlyMap<string, string>, algorithm: DigestAlgorithm, most: number): ReadName {
  const [plain, extended] = [params.get('username'), params.get('username*')];
  const hashed = params.get('userhash')?.toLowerCase() ?? 'false';
  if (hashed !== 'true' && hashed !== 'false') return { ok: false, why: 'a userhash that is neither true nor false' };
  if (plain !== undefined && extended !== undefined) return { ok: false, why: 'username beside username*' };
  const given = plain ?? extended;
  if (given === undefined) return { ok: false, why: 'no username' };
  if (given.length > most) return { ok: false, why: `a username of over ${most} bytes` };
  if (hashed === 'true') {
    if (plain === undefined) return { ok: false, why: 'username* beside userhash=true' };
    if (plain.length === hexLength(algorithm) && HEX.test(plain)) {
      return { ok: true, name: { userhash: plain.toLowerCase() } };
    }
    return { ok: false, why: `a username hash that is not ${hexLength(algorithm)} hexadecimal digits (${algorithm})` };
  }
  const username = plain === undefined ? readExtValue(given) : decodeText(Buffer.from(given, 'latin1'));
  if (username === undefined) return { ok: false, why: "a username* that is not UTF-8''…" };
  if (hasControls(username)) return { ok: false, why: 'a username with control characters' };
  return { ok: true, name: { username: username.normalize('NFC') } };
}

function readExtValue(text: string): string | undefined {
  const value = EXT_VALUE.exec(text)?.[1];
  if (value === undefined || BROKEN_ESCAPE.test(value)) return undefined;
  const bytes = value.replace(/%(..)/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return decodeUtf8(Buffer.from(bytes, 'latin1'));
}
