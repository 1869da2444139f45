import type { DigestAlgorithm, DigestName, MaybePromise, Secret } from '@chain407/auth';
import { identityOf, onFileChange } from '@chain407/core';
import type { User } from './account.ts';
import type { DigestAccount } from './digest-accounts.ts';
import type { NtAccount } from './nt-accounts.ts';
import type { UserStore, Users } from './user-store.ts';

export interface LiveUsersOptions {
  /** Every file that users are read from. */
  readonly files: readonly string[];
  /** Reads all of them; `undefined` where something is wrong with them, which it has told then. */
  readonly read: () => Promise<UserStore | undefined>;
  /** Told after each change that is in use now. */
  readonly onChange: (users: UserStore) => void;
  /** Milliseconds between looks at a file whose changes the system does not tell. Default 5000. */
  readonly pollInterval?: number;
}

/**
 * The users of a tier, read again when one of their files changes: all of them, or where anything is wrong none, and the
 * old ones stay. Who has a connection is looked at again within a minute; who has logged one in by NTLM or Negotiate has it.
 */
export class LiveUsers implements Users {
  readonly #options: LiveUsersOptions;
  readonly #unwatch: readonly (() => void)[];
  #current: UserStore;
  #reading = false;
  /** A file has changed after the reading had begun. */
  #outdated = false;

  private constructor(first: UserStore, since: readonly (string | undefined)[], options: LiveUsersOptions) {
    this.#current = first;
    this.#options = options;
    // A pipe is read once: there is nothing in it any more.
    this.#unwatch = options.files.flatMap((path, i) => {
      const identity = since[i];
      const changed = (): void => void this.#readAgain();
      return identity === undefined ? [] : [onFileChange(path, identity, changed, options.pollInterval)];
    });
  }

  /** Reads them for the first time; `undefined` as {@link LiveUsersOptions.read} has it. */
  static async open(options: LiveUsersOptions): Promise<LiveUsers | undefined> {
    // Before they are read: what changes meanwhile is not missed.
    const since = options.files.map(identityOf);
    const first = await options.read();
    return first && new LiveUsers(first, since, options);
  }

  check(username: string, password: Secret): MaybePromise<User | undefined> {
    return this.#current.check(username, password);
  }

  digestAccount(name: DigestName, algorithm: DigestAlgorithm, realm: string): DigestAccount | undefined {
    return this.#current.digestAccount(name, algorithm, realm);
  }

  ntAccount(domain: string, user: string): NtAccount | undefined {
    return this.#current.ntAccount(domain, user);
  }

  tokenUser(token: Secret): User | undefined {
    return this.#current.tokenUser(token);
  }

  close(): void {
    for (const unwatch of this.#unwatch) unwatch();
  }

  async #readAgain(): Promise<void> {
    this.#outdated = true;
    if (this.#reading) return;
    this.#reading = true;
    while (this.#outdated) {
      this.#outdated = false;
      const users = await this.#options.read();
      if (users === undefined) continue;
      this.#current = users;
      this.#options.onChange(users);
    }
    this.#reading = false;
  }
}
