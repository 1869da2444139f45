import type { Leg } from '@chain407/core';
import { expect } from '@jest/globals';
import { negotiationOf } from './negotiation.ts';

/** What the matchers look at: a chain, or a recorder of legs. */
export interface HasLegs {
  legs(): readonly Leg[];
}

declare module 'expect' {
  interface Matchers<R> {
    /**
     * The upstream answered the downstream with exactly these outcomes, in this order: `407 Basic`, `407 NTLM, Basic`,
     * `200`. Counts every leg since the chain started or its legs were cleared.
     */
    toHaveNegotiated(outcomes: readonly string[]): R;
  }
}

function hasLegs(value: unknown): value is HasLegs {
  return typeof value === 'object' && value !== null && 'legs' in value && typeof value.legs === 'function';
}

expect.extend({
  toHaveNegotiated(received: unknown, expected: readonly string[]) {
    const { matcherHint, printDiffOrStringify, printExpected } = this.utils;
    const hint = matcherHint('toHaveNegotiated', 'chain', 'outcomes', { isNot: this.isNot ?? false });
    if (!hasLegs(received)) throw new TypeError(`${hint}\n\nthe received value must be a chain or a recorder of legs`);
    const actual = negotiationOf(received.legs());
    const pass = this.equals(actual, expected);
    const message = (): string =>
      pass
        ? `${hint}\n\nExpected any negotiation but: ${printExpected(expected)}`
        : `${hint}\n\n${printDiffOrStringify(expected, actual, 'Expected', 'Negotiated', this.expand ?? false)}`;
    return { pass, message };
  },
});
