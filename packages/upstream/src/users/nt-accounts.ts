import type { Secret } from '@chain407/auth';
import { ntHash } from '@chain407/auth';
import type { Account, User } from './account.ts';
import { pickProof } from './account.ts';
import type { Proof } from './proof.ts';

export interface NtAccount {
  readonly principal: User;
  /** 32 lower-case hex digits. */
  readonly ntHash: Secret;
}

function hashOf(proof: Proof): Secret | undefined {
  if (proof.kind === 'nt-hash') return proof.ntHash;
  return proof.kind === 'password' ? ntHash(proof.password) : undefined;
}

/**
 * Under what a name of `users` is found: letter case does not count (MS-NLMP §3.3.2 hashes the name in capitals).
 * `DOMAIN\user` and `user@domain` are of one domain, a plain name is of any.
 */
export function ntKey(name: string): string {
  const [, domain, user] = /^([^\\]+)\\(.+)$/s.exec(name) ?? [];
  if (domain !== undefined && user !== undefined) return keyOf(domain, user);
  const [, alias, suffix] = /^(.+)@([^@]+)$/s.exec(name) ?? [];
  return alias !== undefined && suffix !== undefined ? keyOf(suffix, alias) : keyOf('', name);
}

const keyOf = (domain: string, user: string): string => `${domain}\\${user}`.normalize('NFC').toUpperCase();

/** Users by what NTLM proves. One NT hash per user, made when it is first asked for. */
export class NtAccounts {
  readonly #byKey = new Map<string, Account>();
  readonly #ready = new Map<Account, NtAccount>();

  constructor(accounts: Iterable<Account>) {
    for (const account of accounts) {
      const key = ntKey(account.user.name);
      // That names differ in case only is a problem, which others tell: here it must not be by chance who wins.
      if (account.proofs.some(({ proof }) => proof.kind === 'password' || proof.kind === 'nt-hash')) {
        if (!this.#byKey.has(key)) this.#byKey.set(key, account);
      }
    }
  }

  /** `domain` and `user` as the client sent them; either may hold the domain: `user@domain` comes with an empty one. */
  find(domain: string, user: string): NtAccount | undefined {
    const [, alias = user] = /^(.+)@[^@]+$/s.exec(user) ?? [];
    // Those of one domain come before those of any.
    for (const key of [keyOf(domain, user), ntKey(user), keyOf('', user), keyOf('', alias)]) {
      const account = this.#byKey.get(key);
      if (account !== undefined) return this.#accountOf(account);
    }
    return undefined;
  }

  #accountOf(account: Account): NtAccount | undefined {
    const known = this.#ready.get(account);
    if (known !== undefined) return known;
    const hash = pickProof(account, hashOf);
    if (hash === undefined) return undefined;
    const made = { principal: account.user, ntHash: hash };
    this.#ready.set(account, made);
    return made;
  }
}
