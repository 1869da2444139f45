import type { DigestAlgorithm } from '@chain407/auth';
import { hashOf } from '@chain407/auth';
import type { Problem } from '@chain407/core';
import type { Account } from './account.ts';
import { schemesOf } from './account.ts';
import { ntKey } from './nt-accounts.ts';
import type { Proof, Use } from './proof.ts';
import { schemeOf, usesOf } from './proof.ts';

/** What the tier offers. */
export interface OfferedSchemes {
  /** `auth.schemes`, less those that a helper verifies: users have no part in these. */
  readonly schemes: readonly string[];
  /** `auth.digest.algorithms`, preferred one first. */
  readonly algorithms: readonly DigestAlgorithm[];
}

/** What users do not fit what is offered: schemes that nobody can use, and users who can use none. */
export function schemeProblems(accounts: readonly Account[], offered: OfferedSchemes): readonly Problem[] {
  const { schemes, algorithms } = offered;
  return [
    ...schemes.flatMap((scheme) => unusable(scheme, accounts)),
    ...(schemes.includes('ntlm') ? sameToNtlm(accounts) : []),
    ...shutOut(accounts, schemes),
    ...(schemes.includes('digest') ? otherAlgorithms(accounts, algorithms) : []),
  ];
}

/** What to add to `users` for a scheme. */
const REMEDIES: ReadonlyMap<string, string> = new Map([
  ['basic', 'add a user with a password, a hash or an htpasswd file'],
  ['digest', 'add a user with a password or an htdigest file (a bcrypt, apr1 or SHA hash cannot serve it)'],
  ['ntlm', 'add a user with a password or ntHash (a bcrypt, apr1 or SHA hash cannot serve it)'],
  ['bearer', 'add a user with a token'],
]);

function unusable(scheme: string, accounts: readonly Account[]): Problem[] {
  if (accounts.some((account) => schemesOf(account).has(scheme))) return [];
  const remedy = REMEDIES.get(scheme) ?? `name a program in auth.helpers.${scheme}`;
  const message = `no user can use ${scheme}: ${remedy}, or take ${scheme} out`;
  return [{ severity: 'error', path: 'auth.schemes', message }];
}

/** Two names for one key of {@link ntKey}: only the first of them could log in by NTLM. */
function sameToNtlm(accounts: readonly Account[]): Problem[] {
  const first = new Map<string, string>();
  const problems: Problem[] = [];
  for (const account of accounts) {
    const { name } = account.user;
    const place = placeFor(account, (use) => use === 'ntlm');
    if (place === undefined) continue;
    const key = ntKey(name);
    const other = first.get(key);
    if (other === undefined) first.set(key, name);
    else {
      const message = `${show(name)} and ${show(other)} are one user to NTLM, where letter case does not count: rename one`;
      problems.push({ severity: 'error', path: place, message });
    }
  }
  return problems;
}

/** Users who can use none of the schemes; one problem for each entry and kind, as a file may hold thousands. */
function shutOut(accounts: readonly Account[], schemes: readonly string[]): Problem[] {
  const offer =
    schemes.length === 0 ? 'auth.schemes offers none that looks at users' : `auth.schemes offers ${schemes.join(', ')}`;
  const groups = new Groups();
  for (const account of accounts) {
    const own = schemesOf(account);
    if (schemes.some((scheme) => own.has(scheme))) continue;
    for (const { proof, place } of account.proofs)
      groups.add(place, account.user.name, `${PROOFS[proof.kind]}, which only ${listOf(proof)} can use, and ${offer}`);
  }
  return groups.problems();
}

const PROOFS: { readonly [K in Proof['kind']]: string } = {
  password: 'a password',
  hash: 'a hash (bcrypt, apr1 or SHA)',
  ha1: 'an htdigest line',
  'nt-hash': 'an NT hash',
  token: 'a token',
};

const listOf = (proof: Proof): string => [...new Set(usesOf(proof).map(schemeOf))].join(', ');

/** Clients take the first algorithm that they know (RFC 7616 §3.7): a user without a hash for it is refused. */
function otherAlgorithms(accounts: readonly Account[], algorithms: readonly DigestAlgorithm[]): Problem[] {
  const groups = new Groups();
  const offered = new Set(algorithms.map(hashOf));
  for (const account of accounts) {
    const own = new Set(account.proofs.flatMap(({ proof }) => usesOf(proof)));
    const place = placeFor(account, (use) => schemeOf(use) === 'digest');
    const missing = [...offered].filter((algorithm) => !own.has(`digest ${algorithm}`));
    if (place === undefined || missing.length === 0) continue;
    const message = `no htdigest line for ${missing.join(', ')}, which auth.digest.algorithms offers: a client that chooses it is refused`;
    groups.add(place, account.user.name, message);
  }
  return groups.problems();
}

function placeFor(account: Account, fits: (use: Use) => boolean): string | undefined {
  return account.proofs.find(({ proof }) => usesOf(proof).some(fits))?.place;
}

const show = (name: string): string => JSON.stringify(name);

/** Warnings about users, those of one entry with the same message in one. */
class Groups {
  readonly #groups = new Map<string, { readonly path: string; readonly what: string; readonly names: string[] }>();

  /** `what` the user has: `a token, which …`. */
  add(path: string, name: string, what: string): void {
    const key = `${path} ${what}`;
    const group = this.#groups.get(key) ?? { path, what, names: [] };
    group.names.push(name);
    this.#groups.set(key, group);
  }

  problems(): Problem[] {
    return [...this.#groups.values()].map(({ path, what, names }) => {
      const [first = '', ...others] = names;
      const has = others.length === 0 ? `${show(first)} has` : `${show(first)} and ${others.length} more have`;
      return { severity: 'warning', path, message: `${has} ${what}` };
    });
  }
}
