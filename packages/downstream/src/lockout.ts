import type { MaybePromise } from '@chain407/auth';

/**
 * Keeps a wrong password from locking an account: one guard per credential, not per proxy and not per request.
 *
 * | state            | event        | next                                                                     |
 * |------------------|--------------|--------------------------------------------------------------------------|
 * | unproven         | admit        | probing; the caller may go                                               |
 * | probing          | admit        | probing; the caller waits for the probe's outcome                        |
 * | good             | admit        | good; the caller may go                                                  |
 * | closed           | admit        | closed, the caller may not; after the cool-down as unproven, with one attempt left |
 * | probing, good    | accepted     | good                                                                     |
 * | probing, good    | rejected     | closed once `attempts` are used up, else unproven                        |
 * | probing          | inconclusive | unproven: time-outs and broken connections say nothing about a password  |
 * | anything else    | an outcome   | unchanged: it belongs to an attempt from before                          |
 */
export type LockoutState =
  | { readonly phase: 'unproven'; readonly failures: number }
  | { readonly phase: 'probing'; readonly failures: number }
  | { readonly phase: 'good' }
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
}

export type Admission =
  | { readonly kind: 'go' }
  | { readonly kind: 'closed'; readonly retryAfter: number; readonly reason: string };

const GO: Admission = { kind: 'go' };

/** Every `admit` that said `go` must be followed by exactly one of `accepted`, `rejected`, `inconclusive`. */
export class LockoutGuard {
  #state: LockoutState = { phase: 'unproven', failures: 0 };
  #wasClosed = false;
  #waiting: (() => void)[] = [];
  readonly #options: LockoutOptions;

  constructor(options: LockoutOptions) {
    this.#options = options;
  }

  get state(): LockoutState {
    return this.#state;
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
        return GO;
      case 'unproven':
        this.#state = { phase: 'probing', failures: state.failures };
        return GO;
      case 'probing':
        return new Promise<void>((resolve) => this.#waiting.push(resolve)).then(() => this.admit());
      case 'closed': {
        const closed = this.closed();
        if (closed !== undefined) return closed;
        this.#state = { phase: 'probing', failures: this.#options.attempts - 1 };
        return GO;
      }
      default:
        return state satisfies never;
    }
  }

  accepted(): void {
    if (this.#state.phase !== 'probing' && this.#state.phase !== 'good') return;
    this.#move({ phase: 'good' });
  }

  rejected(reason: string): void {
    const state = this.#state;
    if (state.phase !== 'probing' && state.phase !== 'good') return;
    const failures = (state.phase === 'probing' ? state.failures : 0) + 1;
    const { attempts, cooldown, now } = this.#options;
    this.#move(
      failures >= attempts ? { phase: 'closed', until: now() + cooldown, reason } : { phase: 'unproven', failures },
    );
  }

  /** What was good may no longer be: the next to be admitted finds out. */
  doubt(): void {
    if (this.#state.phase === 'good') this.#state = { phase: 'unproven', failures: 0 };
  }

  /** The secret is another one, or the configuration was reloaded: what was found out says nothing any more. */
  reopen(_reason: string): void {
    this.#move({ phase: 'unproven', failures: 0 });
  }

  inconclusive(): void {
    if (this.#state.phase !== 'probing') return;
    this.#move({ phase: 'unproven', failures: this.#state.failures });
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
