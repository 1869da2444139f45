import type { Account, PlacedProof } from './account.ts';
import type { Use } from './proof.ts';
import { usesOf } from './proof.ts';

interface Row {
  readonly groups: Set<string>;
  readonly proofs: PlacedProof[];
  /** Where the proof that decides a use came from. */
  readonly placeOf: Map<Use, string>;
}

/**
 * The users while they are read. A name may stand in several entries that serve different uses, an htpasswd and an
 * htdigest line for one; its groups are those of all.
 */
export class Roll {
  readonly #rows = new Map<string, Row>();
  readonly #placeOfToken = new Map<string, string>();

  /** Says what is wrong, where something is, and adds nothing then. */
  add(name: string, groups: readonly string[], placed: PlacedProof): string | undefined {
    const { proof, place } = placed;
    const row: Row = this.#rows.get(name) ?? { groups: new Set(), proofs: [], placeOf: new Map() };
    const uses = usesOf(proof);
    const taken = uses.find((use) => row.placeOf.has(use));
    if (taken !== undefined) {
      const first = row.placeOf.get(taken);
      return `expected each user once for ${taken}, got ${JSON.stringify(name)} again after ${first}`;
    }
    if (proof.kind === 'token') {
      const owner = this.#placeOfToken.get(proof.token.reveal());
      if (owner !== undefined) return `expected a token of its own, got that of ${owner}`;
      this.#placeOfToken.set(proof.token.reveal(), place);
    }
    for (const group of groups) row.groups.add(group);
    for (const use of uses) row.placeOf.set(use, place);
    row.proofs.push(placed);
    this.#rows.set(name, row);
    return undefined;
  }

  accounts(): readonly Account[] {
    return [...this.#rows].map(([name, { groups, proofs }]) => ({ user: { name, groups: [...groups] }, proofs }));
  }
}
