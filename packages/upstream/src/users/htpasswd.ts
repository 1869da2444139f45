import { readFileSync } from 'node:fs';
import type { StoredPassword } from './password-hash.ts';
import { fromHash, HASH_FORMS } from './password-hash.ts';

export type ReadHtpasswd =
  | { readonly ok: true; readonly users: ReadonlyMap<string, StoredPassword> }
  | { readonly ok: false; readonly messages: readonly string[] };

/** Reads an htpasswd file: `name:hash` lines, `#` comments. Where a name stands twice the first counts, as in Apache. */
export function readHtpasswd(path: string): ReadHtpasswd {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return {
      ok: false,
      messages: [`${path} cannot be read: ${code === 'ENOENT' ? 'there is no such file' : message}`],
    };
  }
  const users = new Map<string, StoredPassword>();
  const messages: string[] = [];
  for (const [i, raw] of text.split(/\r?\n/).entries()) {
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
