import type { Logger } from '@chain407/core';

/** Something that runs until it is told to end. */
export interface Running {
  /** Lets what is under way finish. */
  close(): Promise<void>;
  /** Cuts everything. */
  kill(): Promise<void>;
}

/**
 * Waits for SIGTERM or SIGINT, then drains; a second signal ends at once. Resolves when all is closed.
 */
export async function runUntilSignal(parts: readonly Running[], logger: Logger): Promise<void> {
  const first = await nextSignal();
  logger.info(`${first}: finishing what is under way; a second signal ends at once`);
  const drained = Promise.all(parts.map((part) => part.close())).then(() => 'drained' as const);
  const second = nextSignal();
  if ((await Promise.race([drained, second])) === 'drained') return;
  await Promise.all(parts.map((part) => part.kill()));
}

function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const signals = ['SIGTERM', 'SIGINT'] as const;
    const listener = (signal: NodeJS.Signals): void => {
      for (const name of signals) process.off(name, listener);
      resolve(signal);
    };
    for (const name of signals) process.on(name, listener);
  });
}
