import type { MaybePromise } from '@chain407/auth';
import type { Ledger } from './lockout-ledger.ts';

/**
 * Keeps a wrong password from locking an account: one guard per credential, not per proxy and not per request. With a
 * {@link Ledger} it is one for all workers and replicas: the probe is the only one among all of them.
 *
 * | state            | event        | next                                                                     |
 * |------------------|--------------|--------------------------------------------------------------------------|
 * | unproven         | admit        | probing; the caller may go                                               |
 * | probing          | admit        | probing; the caller waits for the probe's outcome                        |
 * | good             | admit        | good; the caller may go                                                  |
 * | good, long ago   | admit        | as unproven: overnight a password may have been changed                  |
 * | closed           | admit        | closed, the caller may not; after the cool-down as unproven, with one attempt left |
 * | probing, good    | accepted     | good                                                                     |
 * | probing, good    | rejected     | closed once `attempts` are used up, else unproven                        |
 * | probing          | inconclusive | unproven: time-outs and broken connections say nothing about a password  |
 * | good             | doubt        | unproven: what was good may no longer be                                 |
 * | anything         | reopen       | unproven: the secret is another one, and what was found out is void      |
 * | anything else    | an outcome   | unchanged: it belongs to an attempt from before                          |
 */
export type LockoutState =
  | { readonly phase: 'unproven'; readonly failures: number }
  | { readonly phase: 'probing'; readonly failures: number }
  /** `since`: the last time that they were accepted. */
  | { readonly phase: 'good'; readonly since: number }
  | { readonly phase: 'closed'; readonly until: number; readonly reason: string };

export interface LockoutOptions {
  /** Rejections in a row until it closes. */
  readonly attempts: number;
  /** Milliseconds that it stays closed. */
  readonly cooldown: number;
  /** Milliseconds, of any fixed origin. */
  readonly now: () => number;
  /** Told of every change to `closed`, and of the first `good` after it. */
  readonly onChange: (state: LockoutState) => void;
  /** Of the secret as it is now. Absent: nobody else tries it. */
  readonly ledger?: Ledger;
}

export type Admission =
  | { readonly kind: 'go' }
  | { readonly kind: 'closed'; readonly retryAfter: number; readonly reason: string };

const GO: Admission = { kind: 'go' };

/** Milliseconds without an acceptance after which one request finds out, while others wait for it. */
const GOOD_FOR = 60_000;

/** Every `admit` that said `go` must be followed by exactly one of `accepted`, `rejected`, `inconclusive`. */
export class LockoutGuard {
  #state: LockoutState = { phase: 'unproven', failures: 0 };
  #wasClosed = false;
  #waiting: (() => void)[] = [];
  #ledger: Ledger | undefined;
  readonly #options: LockoutOptions;

  constructor(options: LockoutOptions) {
    this.#options = options;
    this.#use(options.ledger);
  }

  get state(): LockoutState {
    return this.#state;
  }

  /** Accepted a moment ago: nobody has to ask. */
  get good(): boolean {
    return this.#state.phase === 'good' && this.#options.now() - this.#state.since < GOOD_FOR;
  }

  /** The reason and the milliseconds left while it is closed. */
  closed(): Extract<Admission, { kind: 'closed' }> | undefined {
    if (this.#state.phase !== 'closed') return undefined;
    const retryAfter = this.#state.until - this.#options.now();
    return retryAfter > 0 ? { kind: 'closed', retryAfter, reason: this.#state.reason } : undefined;
  }

  admit(): MaybePromise<Admission> {
    const state = this.#state;
    switch (state.phase) {
      case 'good':
        return this.good ? GO : this.#probe(0);
      case 'unproven':
        return this.#probe(state.failures);
      case 'probing':
        return new Promise<void>((resolve) => this.#waiting.push(resolve)).then(() => this.admit());
      case 'closed': {
        const closed = this.closed();
        if (closed !== undefined) return closed;
        return this.#probe(this.#options.attempts - 1);
      }
      default:
        return state satisfies never;
    }
  }

  #probe(failures: number): MaybePromise<Admission> {
    const probing: LockoutState = { phase: 'probing', failures };
    this.#state = probing;
    return this.#ledger === undefined ? GO : this.#probeAlone(this.#ledger, probing);
  }

  async #probeAlone(ledger: Ledger, probing: LockoutState): Promise<Admission> {
    const trial = await ledger.begin();
    // Meanwhile it was reopened, or another process has closed it.
    const isOver = this.#state !== probing;
    if (isOver && trial.kind === 'go') ledger.settle(undefined);
    if (isOver) return this.admit();
    if (trial.kind === 'go') {
      this.#state = { phase: 'probing', failures: trial.failures };
      return GO;
    }
    this.#move({ phase: 'closed', until: trial.until, reason: trial.reason });
    return this.admit();
  }

  accepted(): void {
    const { phase } = this.#state;
    if (phase !== 'probing' && phase !== 'good') return;
    if (phase === 'probing') this.#ledger?.settle({ failures: 0 });
    this.#move({ phase: 'good', since: this.#options.now() });
  }

  rejected(reason: string): void {
    const state = this.#state;
    if (state.phase !== 'probing' && state.phase !== 'good') return;
    const failures = (state.phase === 'probing' ? state.failures : 0) + 1;
    const { attempts, cooldown, now } = this.#options;
    const closed = failures >= attempts ? { until: now() + cooldown, reason } : undefined;
    this.#ledger?.settle(closed === undefined ? { failures } : { failures, closed });
    this.#move(closed === undefined ? { phase: 'unproven', failures } : { phase: 'closed', ...closed });
  }

  /** What was good may no longer be: the next to be admitted finds out. */
  doubt(): void {
    if (this.#state.phase === 'good') this.#state = { phase: 'unproven', failures: 0 };
  }

  /** The secret is another one: what was found out says nothing any more. `ledger`: of the new one. */
  reopen(ledger?: Ledger): void {
    if (this.#state.phase === 'probing') this.#ledger?.settle(undefined);
    this.#use(ledger);
    this.#move({ phase: 'unproven', failures: 0 });
  }

  /** Nobody asks any more. */
  close(): void {
    this.#ledger?.end();
  }

  inconclusive(): void {
    if (this.#state.phase !== 'probing') return;
    this.#ledger?.settle(undefined);
    this.#move({ phase: 'unproven', failures: this.#state.failures });
  }

  #use(ledger: Ledger | undefined): void {
    this.#ledger?.end();
    this.#ledger = ledger;
    ledger?.onClosed(({ until, reason }) => {
      if (this.#ledger === ledger && this.#state.phase !== 'closed') this.#move({ phase: 'closed', until, reason });
    });
  }

  #move(next: LockoutState): void {
    const was = this.#state;
    this.#state = next;
    if (next.phase === 'closed' || (next.phase === 'good' && this.#wasClosed)) {
      this.#wasClosed = next.phase === 'closed';
      this.#options.onChange(next);
    }
    if (was.phase !== 'probing') return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }
}
