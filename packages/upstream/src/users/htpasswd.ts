import { readFileSync } from 'node:fs';
import type { StoredPassword } from './password-hash.ts';
import { fromHash, HASH_FORMS } from './password-hash.ts';

export type ReadHtpasswd =
  | { readonly ok: true; readonly users: ReadonlyMap<string, StoredPassword> }
  | { readonly ok: false; readonly messages: readonly string[] };

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Reads an htpasswd file: `name:hash` lines, `#` comments. Where a name stands twice the first counts, as in Apache. */
export function readHtpasswd(path: string): ReadHtpasswd {
  const read = readText(path);
  if (!read.ok) return { ok: false, messages: [`${path} ${read.why}`] };
  const users = new Map<string, StoredPassword>();
  const messages: string[] = [];
  for (const [i, raw] of read.text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).normalize('NFC');
    const stored = colon > 0 ? fromHash(line.slice(colon + 1)) : undefined;
    if (stored === undefined) messages.push(`${path}:${i + 1}: expected NAME:HASH with ${HASH_FORMS}`);
    else if (!users.has(name)) users.set(name, stored);
  }
  return messages.length === 0 ? { ok: true, users } : { ok: false, messages };
}

type ReadText = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly why: string };

function readText(path: string): ReadText {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'this is a folder' : message;
    return { ok: false, why: `cannot be read: ${why}` };
  }
  try {
    return { ok: true, text: utf8.decode(bytes) };
  } catch {
    return { ok: false, why: 'is not in UTF-8: convert it, for instance by iconv -t UTF-8' };
  }
}
