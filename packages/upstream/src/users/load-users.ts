import { Secret, unsendable } from '@chain407/auth';
import type { Problem, SecretSource } from '@chain407/core';
import { readSecret } from '@chain407/core';
import { readHtpasswd } from './htpasswd.ts';
import type { StoredPassword } from './password-hash.ts';
import { fromHash, fromSecret, HASH_FORMS } from './password-hash.ts';
import type { StoredUser } from './user-store.ts';
import { UserStore } from './user-store.ts';

/** An entry of `users:`. */
export type UserEntry =
  | { readonly name: string; readonly password: SecretSource; readonly groups: readonly string[] }
  | { readonly name: string; readonly hash: string; readonly groups: readonly string[] }
  | { readonly htpasswd: string; readonly groups: readonly string[] };

export type LoadedUsers =
  | { readonly ok: true; readonly users: UserStore }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Reads what the entries refer to. Every problem is told, with its path. */
export function loadUsers(entries: readonly UserEntry[], now: () => number = Date.now): LoadedUsers {
  const users = new Map<string, StoredUser>();
  const placeOf = new Map<string, number>();
  const problems: Problem[] = [];
  for (const [i, entry] of entries.entries()) {
    const complain = (key: string, message: string): void => {
      problems.push({ severity: 'error', path: `users[${i}]${key}`, message });
    };
    for (const [name, password] of passwordsOf(entry, complain)) {
      const first = placeOf.get(name);
      if (first === undefined) {
        placeOf.set(name, i);
        users.set(name, { user: { name, groups: entry.groups }, password });
      } else complain('', `expected each user once, got ${JSON.stringify(name)} again after users[${first}]`);
    }
  }
  return problems.length === 0 ? { ok: true, users: new UserStore(users, now) } : { ok: false, problems };
}

const NO_PASSWORD = new Secret('');

function passwordsOf(
  entry: UserEntry,
  complain: (key: string, message: string) => void,
): Iterable<[string, StoredPassword]> {
  if ('htpasswd' in entry) {
    const read = readHtpasswd(entry.htpasswd);
    if (read.ok) return read.users;
    for (const message of read.messages) complain('.htpasswd', message);
    return [];
  }
  const name = entry.name.normalize('NFC');
  const unfit = unsendable(name, NO_PASSWORD);
  if (unfit !== undefined) complain('.name', `expected a name that clients can send: ${unfit}`);
  if ('hash' in entry) {
    const stored = fromHash(entry.hash);
    if (stored !== undefined) return [[name, stored]];
    complain('.hash', `expected ${HASH_FORMS}`);
    return [];
  }
  const read = readSecret(entry.password);
  const unsent = read.ok ? unsendable('', read.secret) : undefined;
  if (unsent !== undefined) complain('.password', `expected a password that clients can send: ${unsent}`);
  if (read.ok) return [[name, fromSecret(read.secret)]];
  complain('.password', read.message);
  return [];
}
