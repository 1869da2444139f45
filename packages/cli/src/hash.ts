import type { Secret } from '@chain407/auth';
import { digestHa1, ntHash, unusablePassword, unusableRealm, unusableUserId } from '@chain407/auth';
import { hashPassword, MAX_BCRYPT_PASSWORD } from '@chain407/upstream';
import { EXIT, Exit } from './exit.ts';
import { print, say } from './output.ts';
import { readPassword } from './prompt.ts';

/** What can be printed: two ways to write a bcrypt hash, and what Digest and NTLM prove in place of the password. */
export const HASH_KINDS = ['bcrypt', 'htpasswd', 'htdigest', 'nt'] as const;
export type HashKind = (typeof HASH_KINDS)[number];

export interface HashOptions {
  readonly user?: string;
  readonly realm?: string;
  readonly kind?: HashKind;
  readonly json?: true;
}

/** Where no name was given: to be replaced in what is printed. */
const PLACEHOLDER = 'NAME';

/** Reads a password and prints what `users`, an htpasswd file and an htdigest file take in its place. */
export async function hash(argument: string | undefined, options: HashOptions): Promise<number> {
  const { user = argument, realm, kind } = options;
  if (argument !== undefined && user !== argument) throw usage(`expected one name, got ${argument} and --user ${user}`);
  const kinds = kindsOf(options);
  if (kinds.includes('htdigest')) checkRealm(user, realm);
  const name = (user ?? PLACEHOLDER).normalize('NFC');
  const password = await readPassword(`password of ${name}: `);
  const unfit = unusableUserId(name) ?? unusablePassword(password);
  if (unfit !== undefined) throw usage(`nobody could log in with this: ${unfit}`);
  const hashes = await hashesFor(kinds, name, realm ?? '', password);
  if (options.json === true) print(JSON.stringify(asJson(name, realm, hashes)));
  else printEntries(entriesFor(kinds, name, realm ?? '', hashes), kind !== undefined);
  return EXIT.good;
}

const usage = (message: string): Exit => new Exit(EXIT.usage, message);

/** What is as good as the password is printed where it was asked for, by its kind or by a realm. */
function kindsOf({ kind, realm }: HashOptions): readonly HashKind[] {
  if (kind !== undefined) return [kind];
  return realm === undefined ? ['bcrypt', 'htpasswd'] : HASH_KINDS;
}

/** An HA1 holds name and realm: neither can be filled in afterwards. */
function checkRealm(user: string | undefined, realm: string | undefined): void {
  if (user === undefined) throw usage('expected --user NAME: an htdigest line is made of name, realm and password');
  if (realm === undefined)
    throw usage('expected --realm REALM, as in upstream.realm: an htdigest line holds in one realm only');
  const unfit = unusableRealm(realm);
  if (unfit !== undefined) throw usage(unfit);
}

interface Hashes {
  readonly bcrypt?: string;
  readonly ha1?: { readonly [algorithm: string]: string };
  readonly nt?: string;
}

async function hashesFor(kinds: readonly HashKind[], name: string, realm: string, password: Secret): Promise<Hashes> {
  const needs = (...some: readonly HashKind[]): boolean => some.some((kind) => kinds.includes(kind));
  const ha1 = (algorithm: 'MD5' | 'SHA-256'): string => digestHa1(algorithm, name, realm, password).reveal();
  return {
    ...(needs('bcrypt', 'htpasswd') ? { bcrypt: await bcryptOf(password) } : {}),
    ...(needs('htdigest') ? { ha1: { MD5: ha1('MD5'), 'SHA-256': ha1('SHA-256') } } : {}),
    ...(needs('nt') ? { nt: ntHash(password).reveal() } : {}),
  };
}

function bcryptOf(password: Secret): Promise<string> {
  if (Buffer.byteLength(password.reveal().normalize('NFC')) > MAX_BCRYPT_PASSWORD)
    throw usage(
      `expected a password of at most ${MAX_BCRYPT_PASSWORD} bytes: bcrypt does not look at the rest (--kind htdigest and nt do)`,
    );
  return hashPassword(password);
}

const asJson = (name: string, realm: string | undefined, { bcrypt, ha1, nt }: Hashes): object => ({
  name,
  ...(bcrypt === undefined ? {} : { hash: bcrypt }),
  ...(ha1 === undefined ? {} : { realm, ha1 }),
  ...(nt === undefined ? {} : { ntHash: nt }),
});

interface Entry {
  /** Where the lines go, and what they are good for. */
  readonly comment: string;
  readonly lines: readonly string[];
}

function entriesFor(kinds: readonly HashKind[], name: string, realm: string, hashes: Hashes): readonly Entry[] {
  const yamlName = JSON.stringify(name);
  const entries: { readonly [K in HashKind]: Entry } = {
    bcrypt: {
      comment: 'for upstream.users; serves basic:',
      lines: [`- { name: ${yamlName}, hash: '${hashes.bcrypt}' }`],
    },
    htpasswd: {
      comment: 'for an htpasswd file, { htpasswd: PATH } in upstream.users; serves basic:',
      lines: [`${name}:${hashes.bcrypt}`],
    },
    htdigest: {
      comment:
        'for an htdigest file, { htdigest: PATH } in upstream.users; serves digest. In this realm as good as the password:',
      lines: Object.values(hashes.ha1 ?? {}).map((ha1) => `${name}:${realm}:${ha1}`),
    },
    nt: {
      comment: 'for upstream.users; serves ntlm. As good as the password, so rather { file: PATH } or { env: NAME }:',
      lines: [`- { name: ${yamlName}, ntHash: { value: '${hashes.nt}' } }`],
    },
  };
  return kinds.map((kind) => entries[kind]);
}

/** One kind alone is data for `>>`: what is said of it goes to stderr. */
function printEntries(entries: readonly Entry[], alone: boolean): void {
  for (const { comment, lines } of entries) {
    if (alone) say(`# ${comment}`);
    else print(`# ${comment}`);
    for (const line of lines) print(line);
  }
}
