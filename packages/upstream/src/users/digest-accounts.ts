import type { DigestAlgorithm, DigestHash, DigestName, Secret } from '@chain407/auth';
import { digestHa1, digestUserhash, hashOf } from '@chain407/auth';
import type { Account, User } from './account.ts';
import { pickProof } from './account.ts';

export interface DigestAccount {
  readonly principal: User;
  /** `H(user ":" realm ":" password)` in lower-case hex; without the nonces that `-sess` adds. */
  readonly ha1: Secret;
}

/** Users by what Digest proves. One hash per user, algorithm and realm, made when it is first asked for. */
export class DigestAccounts {
  readonly #byName: ReadonlyMap<string, Account>;
  readonly #ready = new Map<string, Map<string, DigestAccount>>();
  readonly #nameOfHash = new Map<string, ReadonlyMap<string, string>>();

  constructor(accounts: ReadonlyMap<string, Account>) {
    this.#byName = accounts;
  }

  /** `undefined`: not known, or without a hash for this algorithm and realm. `algorithm` with or without `-sess`. */
  find(name: DigestName, algorithm: DigestAlgorithm, realm: string): DigestAccount | undefined {
    const hash = hashOf(algorithm);
    const username =
      'username' in name ? name.username.normalize('NFC') : this.#namesByHash(hash, realm).get(name.userhash);
    return username === undefined ? undefined : this.#accountOf(username, hash, realm);
  }

  #accountOf(username: string, algorithm: DigestHash, realm: string): DigestAccount | undefined {
    const ready = entryOf(this.#ready, `${algorithm}:${realm}`, () => new Map<string, DigestAccount>());
    const known = ready.get(username);
    if (known !== undefined) return known;
    const account = this.#byName.get(username);
    const ha1 = account && ha1Of(account, algorithm, realm);
    if (account === undefined || ha1 === undefined) return undefined;
    const made = { principal: account.user, ha1 };
    ready.set(username, made);
    return made;
  }

  #namesByHash(algorithm: DigestHash, realm: string): ReadonlyMap<string, string> {
    return entryOf(
      this.#nameOfHash,
      `${algorithm}:${realm}`,
      () => new Map([...this.#byName.keys()].map((name) => [digestUserhash(algorithm, name, realm), name])),
    );
  }
}

function ha1Of(account: Account, algorithm: DigestHash, realm: string): Secret | undefined {
  return pickProof(account, (proof) => {
    if (proof.kind === 'password') return digestHa1(algorithm, account.user.name, realm, proof.password);
    const fits = proof.kind === 'ha1' && proof.algorithm === algorithm && proof.realm === realm;
    return fits ? proof.ha1 : undefined;
  });
}

function entryOf<T>(map: Map<string, T>, key: string, make: () => T): T {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
