import cluster, { type Worker } from 'node:cluster';
import { availableParallelism } from 'node:os';
import type { Logger, StateStore } from '@chain407/core';
import { ChannelStore, serveStateStore } from '@chain407/core';
import { EXIT, Exit } from './exit.ts';
import type { Running } from './lifecycle.ts';

/** What the primary tells a worker: finish what is under way, and end. */
const DRAIN = 'drain';
/** Milliseconds before a worker that ended is replaced: the first time, and at most. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 10_000;

export interface Workers extends Running {
  readonly port: number;
}

/** How many processes `downstream.workers` asks for. */
export function workerCount(workers: number | 'auto'): number {
  return workers === 'auto' ? availableParallelism() : workers;
}

/** The number of this worker, from 1; `undefined` in the primary, and where there are no workers. */
export const workerNumber = (): number | undefined =>
  cluster.isWorker ? Number(process.env.CHAIN407_WORKER) : undefined;

/**
 * Runs the same command in so many processes, which share its listener, and replaces those that end. Their state is the
 * primary's. Rejects where one of the first ends before it listens; it has said why.
 */
export async function startWorkers(count: number, state: StateStore, logger: Logger): Promise<Workers> {
  const pool = new WorkerPool(state, logger);
  try {
    const ports = await Promise.all(Array.from({ length: count }, (_, i) => pool.start(i + 1)));
    return { port: ports[0] as number, close: () => pool.close(), kill: () => pool.kill() };
  } catch (error) {
    await pool.kill();
    throw error;
  }
}

class WorkerPool {
  readonly #state: StateStore;
  readonly #logger: Logger;
  readonly #running = new Map<Worker, Promise<void>>();
  readonly #pauses = new Map<number, NodeJS.Timeout>();
  #ending = false;

  constructor(state: StateStore, logger: Logger) {
    this.#state = state;
    this.#logger = logger;
  }

  /** Resolves with the port once the worker listens; after that it is replaced when it ends. */
  start(number: number, pause = FIRST_PAUSE): Promise<number> {
    const worker = cluster.fork({ CHAIN407_WORKER: String(number) });
    const began = Date.now();
    const stopServing = serveStateStore(this.#state, {
      // A worker that has just ended takes no answer any more.
      send: (message) => void (worker.isConnected() && worker.send(message, () => undefined)),
      on: (event, listener) => worker.on(event, listener),
    });
    return new Promise((resolve, reject) => {
      let listens = false;
      worker.once('listening', ({ port }) => {
        listens = true;
        this.#logger.info({ worker: number, pid: worker.process.pid }, `worker ${number} listens`);
        resolve(port);
      });
      const gone = new Promise<void>((done) => {
        worker.once('exit', (status, signal) => {
          this.#running.delete(worker);
          void stopServing().then(done);
          if (this.#ending) return reject(new Exit(EXIT.failed, `worker ${number} was ended before it listened`));
          const how = signal ?? `exit status ${status}`;
          if (!listens) reject(new Exit(EXIT.failed, `worker ${number} ended before it listened (${how})`));
          // One that has served for a while is replaced as if it were the first.
          else this.#replace(number, how, Date.now() - began > LONGEST_PAUSE ? FIRST_PAUSE : pause);
        });
      });
      this.#running.set(worker, gone);
    });
  }

  async close(): Promise<void> {
    this.#end();
    for (const worker of this.#running.keys()) if (worker.isConnected()) worker.send(DRAIN);
    await Promise.all(this.#running.values());
  }

  async kill(): Promise<void> {
    this.#end();
    for (const worker of this.#running.keys()) worker.process.kill('SIGKILL');
    await Promise.all(this.#running.values());
  }

  #replace(number: number, how: string, pause: number): void {
    this.#logger.error({ worker: number }, `worker ${number} ended (${how}); another takes its place in ${pause} ms`);
    const next = Math.min(2 * pause, LONGEST_PAUSE);
    const begin = (): void => {
      // It ended again before it listened.
      this.start(number, next).catch((error: Error) => {
        if (!this.#ending) this.#replace(number, error.message, next);
      });
    };
    this.#pauses.set(number, setTimeout(begin, pause));
  }

  #end(): void {
    this.#ending = true;
    for (const timer of this.#pauses.values()) clearTimeout(timer);
  }
}

/** The state of the primary, as a worker sees it. */
export function primaryState(): StateStore {
  return new ChannelStore({
    send: (message) => void (process.connected && process.send?.(message, () => undefined)),
    on: (event, listener) => process.on(event, listener),
  });
}

/** Runs a tier in a worker until the primary says so or is gone, or a SIGTERM comes. Ctrl-C is for the primary to handle. */
export async function runUntilDrained(tier: Running): Promise<void> {
  process.on('SIGINT', () => undefined);
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('disconnect', resolve);
    process.on('message', (message) => {
      if (message === DRAIN) resolve();
    });
  });
  await tier.close();
}
