import type { DigestAlgorithm, DigestName, MaybePromise, Secret } from '@chain407/auth';
import type { Account, User } from './account.ts';
import { schemesOf } from './account.ts';
import { BasicAccounts } from './basic-accounts.ts';
import type { DigestAccount } from './digest-accounts.ts';
import { DigestAccounts } from './digest-accounts.ts';
import type { NtAccount } from './nt-accounts.ts';
import { NtAccounts } from './nt-accounts.ts';
import { TokenUsers } from './token-users.ts';

export type { Account, User } from './account.ts';

/** What the verifiers ask of the users. */
export type Users = Pick<UserStore, 'check' | 'digestAccount' | 'ntAccount' | 'tokenUser'>;

/** The users of the tier: one port for the verifier of each scheme. All but {@link UserStore.check} answer at once. */
export class UserStore {
  readonly accounts: readonly Account[];
  readonly #basic: BasicAccounts;
  readonly #digest: DigestAccounts;
  readonly #nt: NtAccounts;
  readonly #tokens: TokenUsers;

  /** `accounts`: each name once, in NFC. `now` in milliseconds. */
  constructor(accounts: readonly Account[], now: () => number) {
    this.accounts = accounts;
    this.#basic = new BasicAccounts(accounts, now);
    this.#digest = new DigestAccounts(new Map(accounts.map((account) => [account.user.name, account])));
    this.#nt = new NtAccounts(accounts);
    this.#tokens = new TokenUsers(accounts);
  }

  /** True where at least one user can use the scheme. */
  serves(scheme: string): boolean {
    return this.accounts.some((account) => schemesOf(account).has(scheme));
  }

  /** For Basic: who this is, or `undefined`. At once where the answer is remembered or cheap. */
  check(username: string, password: Secret): MaybePromise<User | undefined> {
    return this.#basic.check(username, password);
  }

  /** For Digest. `algorithm` with or without `-sess`; its HA1 is without in either case. */
  digestAccount(name: DigestName, algorithm: DigestAlgorithm, realm: string): DigestAccount | undefined {
    return this.#digest.find(name, algorithm, realm);
  }

  /** For NTLM: domain and user name as the client sent them. */
  ntAccount(domain: string, user: string): NtAccount | undefined {
    return this.#nt.find(domain, user);
  }

  /** For Bearer. */
  tokenUser(token: Secret): User | undefined {
    return this.#tokens.find(token);
  }
}
