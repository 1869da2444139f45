import { createHmac, randomBytes } from 'node:crypto';
import type { MaybePromise, Principal, Secret } from '@chain407/auth';
import type { StoredPassword } from './password-hash.ts';

/** Who may be recognised. */
export interface User extends Principal {
  readonly groups: readonly string[];
}

export interface StoredUser {
  readonly user: User;
  readonly password: StoredPassword;
}

/** A verification that was good counts for so long; precedent: Squid's `credentialsttl`, which users set to minutes. */
const TTL = 60_000;
const MAX_REMEMBERED = 10_000;

/**
 * The users of the tier. A password that was found good is remembered for a minute, under a keyed hash, so that a
 * request costs no bcrypt; a wrong one never is. The same question asked twice at once is answered once.
 */
export class UserStore {
  readonly #users: ReadonlyMap<string, StoredUser>;
  /** What an unknown user is checked against, so that the time taken does not tell who exists. */
  readonly #decoy: StoredPassword | undefined;
  readonly #now: () => number;
  readonly #key = randomBytes(32);
  readonly #good = new Map<string, number>();
  readonly #asked = new Map<string, Promise<User | undefined>>();

  /** `now` in milliseconds. */
  constructor(users: ReadonlyMap<string, StoredUser>, now: () => number) {
    this.#users = users;
    this.#now = now;
    this.#decoy = [...users.values()].map(({ password }) => password).sort((a, b) => b.cost - a.cost)[0];
  }

  /** Who this is, or `undefined`. At once where the answer is remembered or cheap. */
  check(username: string, password: Secret): MaybePromise<User | undefined> {
    const name = username.normalize('NFC');
    const stored = this.#users.get(name);
    const key = this.#keyOf(name, password);
    const until = this.#good.get(key);
    if (stored !== undefined && until !== undefined && until > this.#now()) return stored.user;
    const asked = this.#asked.get(key);
    if (asked !== undefined) return asked;
    const matches = (stored?.password ?? this.#decoy)?.matches(password) ?? false;
    if (typeof matches === 'boolean') return this.#settle(key, stored, matches);
    const pending = matches.then((good) => this.#settle(key, stored, good)).finally(() => this.#asked.delete(key));
    this.#asked.set(key, pending);
    return pending;
  }

  /** With the length of the name: `a` and `b:c` are not `a:b` and `c`. */
  #keyOf(name: string, password: Secret): string {
    return createHmac('sha256', this.#key).update(`${name.length}:${name}:${password.reveal()}`).digest('base64');
  }

  #settle(key: string, stored: StoredUser | undefined, good: boolean): User | undefined {
    if (!good || stored === undefined) return undefined;
    this.#remember(key);
    return stored.user;
  }

  #remember(key: string): void {
    this.#good.delete(key);
    this.#good.set(key, this.#now() + TTL);
    if (this.#good.size > MAX_REMEMBERED) this.#good.delete(this.#good.keys().next().value as string);
  }
}
