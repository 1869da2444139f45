import type { MaybePromise, Principal, Secret } from '@chain407/auth';
import { GoodAnswers } from './good-answers.ts';
import type { StoredPassword } from './password-hash.ts';

/** Who may be recognised. */
export interface User extends Principal {
  readonly groups: readonly string[];
}

export interface StoredUser {
  readonly user: User;
  readonly password: StoredPassword;
}

/** The users of the tier. A password that was found good is remembered, so that a request costs no bcrypt. */
export class UserStore {
  readonly #users: ReadonlyMap<string, StoredUser>;
  /** What an unknown user is checked against, so that the time taken does not tell who exists. */
  readonly #decoy: StoredPassword | undefined;
  readonly #answers: GoodAnswers<User | undefined>;

  /** `now` in milliseconds. */
  constructor(users: ReadonlyMap<string, StoredUser>, now: () => number) {
    this.#users = users;
    this.#decoy = [...users.values()].map(({ password }) => password).sort((a, b) => b.cost - a.cost)[0];
    this.#answers = new GoodAnswers((user) => user !== undefined, now);
  }

  /** Who this is, or `undefined`. At once where the answer is remembered or cheap. */
  check(username: string, password: Secret): MaybePromise<User | undefined> {
    const name = username.normalize('NFC');
    return this.#answers.answer([name, password.reveal()], () => this.#verify(this.#users.get(name), password));
  }

  #verify(stored: StoredUser | undefined, password: Secret): MaybePromise<User | undefined> {
    const matches = (stored?.password ?? this.#decoy)?.matches(password) ?? false;
    // What fits the decoy is nobody's password.
    const found = (good: boolean): User | undefined => (good ? stored?.user : undefined);
    return typeof matches === 'boolean' ? found(matches) : matches.then(found);
  }
}
