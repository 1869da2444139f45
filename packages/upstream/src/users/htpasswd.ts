import type { StoredPassword } from './password-hash.ts';
import { fromHash, HASH_FORMS } from './password-hash.ts';
import { linesOf, readText } from './text-file.ts';

export type ReadHtpasswd =
  | { readonly ok: true; readonly users: ReadonlyMap<string, StoredPassword> }
  | { readonly ok: false; readonly messages: readonly string[] };

/** Reads an htpasswd file: `name:hash` lines, `#` comments. Where a name stands twice the first counts, as in Apache. */
export function readHtpasswd(path: string): ReadHtpasswd {
  const read = readText(path);
  if (!read.ok) return { ok: false, messages: [read.message] };
  const users = new Map<string, StoredPassword>();
  const messages: string[] = [];
  for (const [number, line] of linesOf(read.text)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).normalize('NFC');
    const stored = colon > 0 ? fromHash(line.slice(colon + 1)) : undefined;
    if (stored === undefined) messages.push(`${path}:${number}: expected NAME:HASH with ${HASH_FORMS}`);
    else if (!users.has(name)) users.set(name, stored);
  }
  return messages.length === 0 ? { ok: true, users } : { ok: false, messages };
}
