import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '@chain407/auth';
import type { ReadSecret, SecretSource } from '@chain407/core';
import type { UserEntry } from '../src/users/load-users.ts';
import { loadUsers } from '../src/users/load-users.ts';
import type { UserStore } from '../src/users/user-store.ts';

export const REALM = 'testrealm@host.com';
/** Where the files of users of a test are. */
export const FOLDER = mkdtempSync(join(tmpdir(), 'chain407-users-'));

let files = 0;
/** The path of a new file of this content. */
export function userFile(text: string | Uint8Array): string {
  files += 1;
  const path = join(FOLDER, `${files}`);
  writeFileSync(path, text);
  return path;
}

export const value = (text: string): SecretSource => ({ kind: 'value', secret: new Secret(text) });

export function inline(name: string, password: string, groups: readonly string[] = ['staff']): UserEntry {
  return { name, password: value(password), groups };
}

/** Of those that hold it, and the message for all others. */
const read = (source: SecretSource): ReadSecret =>
  source.kind === 'value'
    ? { ok: true, secret: source.secret }
    : { ok: false, message: `no secret in the ${source.kind}` };

/** The problems of the entries, as `PATH: MESSAGE`. */
export function problemsOf(entries: readonly UserEntry[], realm: string = REALM): readonly string[] {
  const loaded = loadUsers(entries, { realm, read });
  return loaded.ok ? [] : loaded.problems.map(({ path, message }) => `${path}: ${message}`);
}

export function usersOf(entries: readonly UserEntry[], realm: string = REALM): UserStore {
  const loaded = loadUsers(entries, { realm, read });
  if (!loaded.ok) throw new Error(`expected users, got ${JSON.stringify(loaded.problems)}`);
  return loaded.users;
}
