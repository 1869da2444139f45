import type { Logger } from '@chain407/core';

/** Something that runs until it is told to end. */
export interface Running {
  /** Lets what is under way finish, within a time that counts from `since` (Unix time in milliseconds; now). */
  close(since?: number): Promise<void>;
  /** Cuts everything. */
  kill(): Promise<void>;
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** Signals that end the process, in order; begins to watch at once, so that none is lost while tiers start. */
export class Signals {
  readonly #arrived: NodeJS.Signals[] = [];
  readonly #onHangup: () => void;
  #waiting: ((signal: NodeJS.Signals) => void)[] = [];

  /** `onHangup`: SIGHUP, which must not end a service. */
  constructor(onHangup: () => void = () => undefined) {
    this.#onHangup = onHangup;
    process.on('SIGHUP', onHangup);
    for (const name of SIGNALS) process.on(name, this.#onSignal);
  }

  /** The next one that nobody has been told of. */
  next(): Promise<NodeJS.Signals> {
    const arrived = this.#arrived.shift();
    if (arrived !== undefined) return Promise.resolve(arrived);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Back to the default: a signal kills. */
  stop(): void {
    process.off('SIGHUP', this.#onHangup);
    for (const name of SIGNALS) process.off(name, this.#onSignal);
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    const resolve = this.#waiting.shift();
    if (resolve === undefined) this.#arrived.push(signal);
    else resolve(signal);
  };
}

/**
 * Waits for a signal, then drains: the part nearest to the clients first, since what is under way there still needs the
 * others. A second signal ends all at once. `parts` are in the order in which they were started.
 */
export async function runUntilSignal(parts: readonly Running[], signals: Signals, logger: Logger): Promise<void> {
  const first = await signals.next();
  logger.info(`${first}: finishing what is under way; a second signal ends at once`);
  const second = signals.next();
  const drained = drain(parts).then(() => 'drained' as const);
  if ((await Promise.race([drained, second])) !== 'drained') await Promise.all(parts.map((part) => part.kill()));
}

async function drain(parts: readonly Running[]): Promise<void> {
  const since = Date.now();
  for (const part of parts.toReversed()) await part.close(since);
}
