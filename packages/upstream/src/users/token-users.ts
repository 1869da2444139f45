import { createHmac, randomBytes } from 'node:crypto';
import type { Secret } from '@chain407/auth';
import type { Account, User } from './account.ts';

/**
 * Users by token. Looked up by a keyed hash: the time that a look-up takes tells nothing about the tokens that are there.
 */
export class TokenUsers {
  readonly #key = randomBytes(32);
  readonly #byHash = new Map<string, User>();

  constructor(accounts: Iterable<Account>) {
    for (const { user, proofs } of accounts)
      for (const { proof } of proofs) if (proof.kind === 'token') this.#byHash.set(this.#hash(proof.token), user);
  }

  find(token: Secret): User | undefined {
    return this.#byHash.get(this.#hash(token));
  }

  #hash(token: Secret): string {
    return createHmac('sha256', this.#key).update(token.reveal()).digest('base64');
  }
}
