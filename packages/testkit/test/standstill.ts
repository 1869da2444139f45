import { setImmediate } from 'node:timers/promises';

/** Turns of the event loop without a change after which there will be none. */
const STILL = 500;

/** Waits until it does not change any more. */
export async function standstill(value: () => number): Promise<void> {
  let last = value();
  for (let turns = 0; turns < STILL; turns += 1) {
    await setImmediate();
    if (value() === last) continue;
    last = value();
    turns = 0;
  }
}
