import type { MaybePromise, Secret } from '@chain407/auth';
import { whenSettled } from '@chain407/auth';
import type { Account, User } from './account.ts';
import { pickProof } from './account.ts';
import { GoodAnswers } from './good-answers.ts';
import type { StoredPassword } from './password-hash.ts';
import { fromSecret } from './password-hash.ts';
import type { Proof } from './proof.ts';

interface BasicAccount {
  readonly user: User;
  readonly password: StoredPassword;
}

function passwordOf(proof: Proof): StoredPassword | undefined {
  if (proof.kind === 'hash') return proof.hash;
  return proof.kind === 'password' ? fromSecret(proof.password) : undefined;
}

/** Users by name and password. A password that was found good is remembered, so that a request costs no bcrypt. */
export class BasicAccounts {
  readonly #byName = new Map<string, BasicAccount>();
  /** What an unknown user is checked against, so that the time taken does not tell who exists. */
  readonly #decoy: StoredPassword | undefined;
  readonly #answers: GoodAnswers<User | undefined>;

  /** `now` in milliseconds. */
  constructor(accounts: Iterable<Account>, now: () => number) {
    for (const account of accounts) {
      const password = pickProof(account, passwordOf);
      if (password !== undefined) this.#byName.set(account.user.name, { user: account.user, password });
    }
    this.#decoy = [...this.#byName.values()].map(({ password }) => password).sort((a, b) => b.cost - a.cost)[0];
    this.#answers = new GoodAnswers((user) => user !== undefined, now);
  }

  /** Who this is, or `undefined`. At once where the answer is remembered or cheap. */
  check(username: string, password: Secret): MaybePromise<User | undefined> {
    const name = username.normalize('NFC');
    return this.#answers.answer([name, password.reveal()], () => this.#verify(this.#byName.get(name), password));
  }

  #verify(account: BasicAccount | undefined, password: Secret): MaybePromise<User | undefined> {
    const matches = (account?.password ?? this.#decoy)?.matches(password) ?? false;
    // What fits the decoy is nobody's password.
    return whenSettled(matches, (good) => (good ? account?.user : undefined));
  }
}
