import { Secret, unusableNtHash, unusablePassword, unusableToken, unusableUserId } from '@chain407/auth';
import type { Problem, ReadSecret, SecretSource } from '@chain407/core';
import { readSource } from '@chain407/core';
import { readHtdigest } from './htdigest.ts';
import { readHtpasswd } from './htpasswd.ts';
import { fromHash, HASH_FORMS } from './password-hash.ts';
import type { Proof } from './proof.ts';
import { Roll } from './roll.ts';
import { UserStore } from './user-store.ts';

interface Named {
  readonly name: string;
}

/** An entry of `users:`. */
export type UserEntry = { readonly groups: readonly string[] } & (
  | (Named & { readonly password: SecretSource })
  | (Named & { readonly hash: string })
  | (Named & { readonly ntHash: SecretSource })
  | (Named & { readonly token: SecretSource })
  | { readonly htpasswd: string }
  | { readonly htdigest: string }
);

export interface LoadOptions {
  /** Of the tier: an htdigest line holds in one realm only. */
  readonly realm: string;
  /** What is in a source: {@link readSecrets} has read it. */
  readonly read: (source: SecretSource) => ReadSecret;
  /** In milliseconds; `Date.now` where it is absent. */
  readonly now?: () => number;
}

/** The files that the entries name, of users and of secrets. */
export function userFiles(entries: readonly UserEntry[]): string[] {
  const secrets = secretSources(entries).flatMap((source) => (source.kind === 'file' ? [source.path] : []));
  return [
    ...secrets,
    ...entries.flatMap((entry) =>
      'htpasswd' in entry ? [entry.htpasswd] : 'htdigest' in entry ? [entry.htdigest] : [],
    ),
  ];
}

/** Reads the sources that the entries name. */
export async function readSecrets(entries: readonly UserEntry[]): Promise<LoadOptions['read']> {
  const sources = secretSources(entries);
  const secrets = new Map(
    await Promise.all(sources.map(async (source) => [source, await readSource(source)] as const)),
  );
  return (source) => secrets.get(source) as ReadSecret;
}

function secretSources(entries: readonly UserEntry[]): SecretSource[] {
  return entries.flatMap((entry) => {
    if ('password' in entry) return [entry.password];
    if ('ntHash' in entry) return [entry.ntHash];
    return 'token' in entry ? [entry.token] : [];
  });
}

export type LoadedUsers =
  | { readonly ok: true; readonly users: UserStore }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Reads what the entries refer to. Every problem is told, with its path. */
export function loadUsers(entries: readonly UserEntry[], options: LoadOptions): LoadedUsers {
  const { realm, read, now = Date.now } = options;
  const roll = new Roll();
  const problems: Problem[] = [];
  for (const [i, entry] of entries.entries()) {
    const place = `users[${i}]`;
    const complain: Complain = (key, message) => {
      problems.push({ severity: 'error', path: `${place}${key}`, message });
    };
    for (const [name, proof] of proofsOf(entry, realm, reading(read, complain))) {
      const clash = roll.add(name, entry.groups, { proof, place });
      if (clash !== undefined) complain('', clash);
    }
  }
  return problems.length === 0 ? { ok: true, users: new UserStore(roll.accounts(), now) } : { ok: false, problems };
}

type Complain = (key: string, message: string) => void;

/** Complains of what cannot be read. */
interface Reading {
  readonly complain: Complain;
  readonly secretOf: (source: SecretSource, key: string) => Secret | undefined;
}

function reading(read: LoadOptions['read'], complain: Complain): Reading {
  return {
    complain,
    secretOf: (source, key) => {
      const found = read(source);
      if (found.ok) return found.secret;
      complain(key, found.message);
      return undefined;
    },
  };
}

type NamedProof = readonly [name: string, proof: Proof];

function proofsOf(entry: UserEntry, realm: string, reading: Reading): readonly NamedProof[] {
  const { complain } = reading;
  if ('htpasswd' in entry) {
    const read = readHtpasswd(entry.htpasswd);
    if (read.ok) return [...read.users].map(([name, hash]) => [name, { kind: 'hash', hash }]);
    for (const message of read.messages) complain('.htpasswd', message);
    return [];
  }
  if ('htdigest' in entry) {
    const read = readHtdigest(entry.htdigest, realm);
    if (read.ok) return read.lines.map(({ name, algorithm, ha1 }) => [name, { kind: 'ha1', algorithm, realm, ha1 }]);
    for (const message of read.messages) complain('.htdigest', message);
    return [];
  }
  const name = entry.name.normalize('NFC');
  const unfit = unusableUserId(name);
  if (unfit !== undefined) complain('.name', `expected a name that clients can send: ${unfit}`);
  const proof = proofOf(entry, reading);
  return proof === undefined ? [] : [[name, proof]];
}

function proofOf(entry: Extract<UserEntry, Named>, { complain, secretOf }: Reading): Proof | undefined {
  if ('hash' in entry) {
    const hash = fromHash(entry.hash);
    if (hash !== undefined) return { kind: 'hash', hash };
    complain('.hash', `expected ${HASH_FORMS}`);
    return undefined;
  }
  if ('password' in entry) {
    const password = secretOf(entry.password, '.password');
    const unfit = password && unusablePassword(password);
    if (unfit !== undefined) complain('.password', `expected a password that clients can send: ${unfit}`);
    return password && { kind: 'password', password };
  }
  if ('ntHash' in entry) {
    const hash = secretOf(entry.ntHash, '.ntHash');
    const unfit = hash && unusableNtHash(hash);
    if (unfit !== undefined) complain('.ntHash', unfit);
    return hash && { kind: 'nt-hash', ntHash: new Secret(hash.reveal().toLowerCase()) };
  }
  const token = secretOf(entry.token, '.token');
  const unfit = token && unusableToken(token);
  if (unfit !== undefined) complain('.token', `expected a token that clients can send: ${unfit}`);
  return token && { kind: 'token', token };
}
