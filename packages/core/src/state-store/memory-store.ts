import { NonceCounts } from './nonce-counts.ts';
import type { StateListener, StateStore } from './state-store.ts';

interface Entry {
  readonly value: string;
  readonly expires: number;
}

/** Keys in all: one or two for each account. */
const MAX_KEYS = 100_000;

/** The state of one process, and of its workers. */
export class MemoryStore implements StateStore {
  readonly #entries = new Map<string, Entry>();
  readonly #listeners = new Map<string, Set<StateListener>>();
  readonly #counts: NonceCounts;
  readonly #now: () => number;

  /** `now`: milliseconds since 1970. */
  constructor(now: () => number) {
    this.#now = now;
    this.#counts = new NonceCounts(now);
  }

  /** Digest nonces whose counts are remembered. */
  get nonces(): number {
    return this.#counts.size;
  }

  async get(key: string): Promise<string | undefined> {
    return this.#live(key)?.value;
  }

  async set(key: string, value: string, ttl: number): Promise<void> {
    this.#put(key, value, ttl);
    this.#tell(key, value);
  }

  async add(key: string, value: string, ttl: number): Promise<boolean> {
    if (this.#live(key) !== undefined) return false;
    this.#put(key, value, ttl);
    return true;
  }

  async delete(key: string, value?: string): Promise<void> {
    if (value !== undefined && this.#live(key)?.value !== value) return;
    this.#entries.delete(key);
    this.#tell(key, undefined);
  }

  subscribe(key: string, listener: StateListener): () => void {
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(key);
    };
  }

  useCount(nonce: string, nc: number, expires: number): boolean {
    return this.#counts.use(nonce, nc, expires);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
  }

  #live(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.expires > this.#now() ? entry : undefined;
  }

  #put(key: string, value: string, ttl: number): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, expires: this.#now() + ttl });
    if (this.#entries.size > MAX_KEYS) this.#entries.delete(this.#entries.keys().next().value as string);
  }

  #tell(key: string, value: string | undefined): void {
    for (const listener of [...(this.#listeners.get(key) ?? [])]) listener(value);
  }
}
