import type { Leg } from '@chain407/core';
import { outcomeOf } from '@chain407/core';

/** What came of a leg: `407 Basic, NTLM`, `200`; where there was no response, the error. */
export function legOutcome({ status, responseHeaders, error }: Leg): string {
  return status === undefined ? (error ?? 'no response') : outcomeOf(status, responseHeaders);
}

/** What the upstream said to the downstream, leg by leg. */
export function negotiationOf(legs: readonly Leg[]): string[] {
  return legs.filter((leg) => leg.from === 'downstream').map(legOutcome);
}
