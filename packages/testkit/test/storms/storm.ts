import { Child } from './child.ts';

/** See `scripts/bench/loads/manners.mjs`. */
export type Manner = 'silent' | 'slow' | 'half';

/** How many connections were ended how: by a status, or `unheard`. */
export type Ended = Readonly<Record<string, number>>;

export interface Storm {
  /** Resolves when none is left. */
  ended(): Promise<Ended>;
  /** Resolves when so many have ended. */
  endedUntil(count: number): Promise<Ended>;
  /** Ends all that is left of it. */
  stop(): Promise<void>;
}

/** Opens connections from 127.0.0.1 that never ask for anything; resolves when each has been opened. */
export async function storm(port: number, manner: Manner, connections: number): Promise<Storm> {
  const child = new Child('storm-process.mjs', [JSON.stringify({ port, manner, connections })]);
  await child.says('opened');
  return {
    ended: () => child.says<{ ended: Ended }>('allEnded').then(({ ended }) => ended),
    endedUntil: (count) => child.ask<{ ended: Ended }>(count, 'counted').then(({ ended }) => ended),
    stop: () => child.end(),
  };
}
