import type { Principal } from '@chain407/auth';
import type { Proof } from './proof.ts';
import { schemeOf, usesOf } from './proof.ts';

/** Who may be recognised. */
export interface User extends Principal {
  readonly groups: readonly string[];
}

/** A proof and the place of the entry that it came from: `users[2]`. */
export interface PlacedProof {
  readonly proof: Proof;
  readonly place: string;
}

/** A user with all that they can be recognised by. */
export interface Account {
  readonly user: User;
  readonly proofs: readonly PlacedProof[];
}

/** The schemes that the user can use, as `auth.schemes` names them. */
export function schemesOf(account: Account): ReadonlySet<string> {
  return new Set(account.proofs.flatMap(({ proof }) => usesOf(proof).map(schemeOf)));
}

/** The first proof for which `pick` has something. */
export function pickProof<T>(account: Account, pick: (proof: Proof) => T | undefined): T | undefined {
  for (const { proof } of account.proofs) {
    const picked = pick(proof);
    if (picked !== undefined) return picked;
  }
  return undefined;
}
