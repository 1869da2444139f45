import type { Leg } from '@chain407/core';
import { subscribeLegs } from '@chain407/core';

/** Keeps the legs that this process publishes, until it is stopped. */
export interface LegRecorder {
  /** What was recorded so far, in the order that the responses came. */
  legs(): readonly Leg[];
  /** Forgets them. */
  clear(): void;
  /** Records no more; what was recorded stays. */
  stop(): void;
}

/** Records the legs for which `filter` returns true; all of them without one. Legs are redacted when they are made. */
export function recordLegs(filter: (leg: Leg) => boolean = () => true): LegRecorder {
  let recorded: Leg[] = [];
  const stop = subscribeLegs((leg) => {
    if (filter(leg)) recorded.push(leg);
  });
  return {
    legs: () => [...recorded],
    clear: () => {
      recorded = [];
    },
    stop,
  };
}
