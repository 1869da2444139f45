import type { HelperAnswer } from './helper-process.ts';
import { HelperProcess } from './helper-process.ts';
import type { Reservation } from './reservation.ts';
import { reservationOf } from './reservation.ts';

export interface HelperPoolOptions {
  /** The program and its arguments; no shell is involved. */
  readonly argv: readonly [command: string, ...args: string[]];
  /** Where it is run. Default: where this process was. */
  readonly folder?: string;
  /** Processes at most. Default 5. */
  readonly children?: number;
  /** Requests that one process takes at once, told apart by channel-IDs; default 0: one, without channel-IDs. */
  readonly concurrency?: number;
  /** Milliseconds that a request may wait for a place, and again for its reply. Default 10 000. */
  readonly timeout?: number;
  /** Milliseconds that a handshake may wait for its client's next leg. Default 10 000. */
  readonly legTimeout?: number;
  /** Milliseconds for which the first process must live to be taken for one that runs. Default 200. */
  readonly startTime?: number;
  /** What the processes write to their standard error, and why they ended, each with the name of the program. */
  readonly log?: (message: string) => void;
}

/** Of the options that have one; times in milliseconds. */
export const HELPER_DEFAULTS = {
  children: 5,
  concurrency: 0,
  timeout: 10_000,
  legTimeout: 10_000,
  startTime: 200,
  log: () => undefined,
} as const;

export type Started = { readonly ok: true } | { readonly ok: false; readonly message: string };

export type Reserved =
  | { readonly ok: true; readonly reservation: Reservation }
  | { readonly ok: false; readonly why: string };

interface Job {
  /** `place`: any process that takes another request. `process`: one that has nothing else to do. */
  readonly needs: 'place' | 'process';
  readonly timer: NodeJS.Timeout;
  assign(process: HelperProcess): void;
  fail(why: string): void;
}

const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 10_000;

/** Milliseconds before a program that ended is started again, after so many pauses without a reply in between. */
export function pauseAfter(pauses: number): number {
  return Math.min(FIRST_PAUSE * 2 ** pauses, LONGEST_PAUSE);
}

/**
 * The processes of one helper program: started when they are needed, started again when they end. Where none runs
 * because the last one ended before it replied to anything, requests fail at once until the next may be started.
 */
export class HelperPool {
  readonly #options: Required<Omit<HelperPoolOptions, 'folder'>> & Pick<HelperPoolOptions, 'folder'>;
  readonly #queue: Job[] = [];
  readonly #processes = new Set<HelperProcess>();
  readonly #reserved = new Set<HelperProcess>();
  /** Those that are ended but not gone yet are among them. */
  readonly #remaining = new Set<HelperProcess>();
  #pause: NodeJS.Timeout | undefined;
  #pauses = 0;
  /** Why the last one ended, where it had not replied to anything. */
  #unfit: string | undefined;
  #closed = false;

  constructor(options: HelperPoolOptions) {
    this.#options = { ...HELPER_DEFAULTS, ...options };
  }

  /** The processes that run now. */
  get pids(): readonly number[] {
    return [...this.#remaining].flatMap(({ pid }) => pid ?? []);
  }

  /** Starts the first process. `message` names the program and says why it does not run. */
  async start(): Promise<Started> {
    const [process = this.#grow()] = this.#processes;
    if (process === undefined)
      return { ok: false, message: this.#refusal() ?? this.#named('it cannot be started now') };
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve({ ok: true }), this.#options.startTime).unref();
      void process.ended.then((why) => {
        clearTimeout(timer);
        resolve({ ok: false, message: why });
      });
    });
  }

  /** Asks one of the processes: `line` without channel-ID and line feed. Never rejects. */
  ask(line: string): Promise<HelperAnswer> {
    return new Promise((resolve) => {
      this.#submit(
        'place',
        (process) => resolve(process.ask(line)),
        (why) => resolve({ ok: false, why }),
      );
    });
  }

  /** One of the processes for oneself, until it is released. Never rejects. */
  reserve(): Promise<Reserved> {
    return new Promise((resolve) => {
      this.#submit(
        'process',
        (process) => {
          this.#reserved.add(process);
          const reservation = reservationOf(process, this.#options.legTimeout, () => {
            this.#reserved.delete(process);
            this.#serve();
          });
          resolve({ ok: true, reservation });
        },
        (why) => resolve({ ok: false, why }),
      );
    });
  }

  /** Ends all processes: by the end of their input, and those that do not go within a second by a signal. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#pause);
    this.#failAll(this.#named('it is closed'));
    await Promise.all([...this.#remaining].map((process) => process.close()));
  }

  #named(why: string): string {
    return `${this.#options.argv[0]}: ${why}`;
  }

  #submit(needs: Job['needs'], assign: Job['assign'], fail: (why: string) => void): void {
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      fail(refusal);
      return;
    }
    const { timeout } = this.#options;
    const expire = (): void => {
      this.#queue.splice(this.#queue.indexOf(job), 1);
      fail(this.#named(`no process was free within ${timeout} ms`));
    };
    const job: Job = { needs, assign, fail, timer: setTimeout(expire, timeout).unref() };
    this.#queue.push(job);
    this.#serve();
  }

  /** Why nothing can be asked now. */
  #refusal(): string | undefined {
    const { children, concurrency } = this.#options;
    const most = 2 * children * Math.max(1, concurrency) + 100;
    if (this.#closed) return this.#named('it is closed');
    if (this.#pause !== undefined && this.#processes.size === 0 && this.#unfit !== undefined) return this.#unfit;
    return this.#queue.length >= most ? this.#named(`${most} requests wait for it already`) : undefined;
  }

  #serve(): void {
    for (let job = this.#queue[0]; job !== undefined; job = this.#queue[0]) {
      const process = this.#find(job.needs) ?? this.#grow();
      if (process === undefined) return;
      this.#queue.shift();
      clearTimeout(job.timer);
      job.assign(process);
    }
  }

  /** The one with the least to do of those that will do. */
  #find(needs: Job['needs']): HelperProcess | undefined {
    const most = needs === 'process' ? 0 : Math.max(1, this.#options.concurrency) - 1;
    let found: HelperProcess | undefined;
    for (const process of this.#processes) {
      if (!process.lives || this.#reserved.has(process) || process.load > most) continue;
      if (found === undefined || process.load < found.load) found = process;
    }
    return found;
  }

  #grow(): HelperProcess | undefined {
    if (this.#closed || this.#pause !== undefined || this.#processes.size >= this.#options.children) return undefined;
    const process = this.#spawn();
    if (process === undefined) return undefined;
    this.#processes.add(process);
    this.#remaining.add(process);
    void process.gone.then(() => this.#remaining.delete(process));
    void process.ended.then((why) => this.#onEnded(process, why));
    return process;
  }

  #spawn(): HelperProcess | undefined {
    const { argv, folder, concurrency, timeout, log } = this.#options;
    const onFree = (): void => {
      this.#pauses = 0;
      this.#unfit = undefined;
      this.#serve();
    };
    try {
      return new HelperProcess({
        argv,
        ...(folder === undefined ? {} : { folder }),
        concurrency,
        timeout,
        log,
        onFree,
      });
    } catch (error) {
      this.#onUnfit(this.#named((error as NodeJS.ErrnoException).message));
      return undefined;
    }
  }

  #onEnded(process: HelperProcess, why: string): void {
    this.#processes.delete(process);
    this.#reserved.delete(process);
    if (this.#closed) return;
    this.#options.log(why);
    if (process.answered) this.#rest();
    else this.#onUnfit(why);
    this.#serve();
  }

  #onUnfit(why: string): void {
    this.#unfit = why;
    this.#rest();
    if (this.#processes.size === 0) this.#failAll(why);
  }

  /** No process is started for a while. */
  #rest(): void {
    if (this.#pause !== undefined) return;
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#serve();
    }, pauseAfter(this.#pauses)).unref();
    this.#pauses += 1;
  }

  #failAll(why: string): void {
    for (const job of this.#queue.splice(0)) {
      clearTimeout(job.timer);
      job.fail(why);
    }
  }
}
