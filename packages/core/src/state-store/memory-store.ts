import { Listeners } from './listeners.ts';
import { NonceCounts } from './nonce-counts.ts';
import type { StateListener, StateStore } from './state-store.ts';

/** Keys, and nonces beside them; beyond this the oldest is forgotten. A nonce takes some 200 bytes. */
const LIMIT = 100_000;

interface Entry {
  readonly value: string;
  readonly expires: number;
}

/** The state of one process. Answers at once. */
export class MemoryStore implements StateStore {
  /** What was set longest ago is in front. */
  readonly #entries = new Map<string, Entry>();
  readonly #listeners = new Listeners();
  readonly #counts: NonceCounts;
  readonly #now: () => number;
  readonly #limit: number;

  /** `now`: milliseconds since 1970. `limit`: keys, and nonces beside them. Default 100000. */
  constructor(now: () => number, limit = LIMIT) {
    this.#now = now;
    this.#limit = limit;
    this.#counts = new NonceCounts(now, limit);
  }

  get(key: string): string | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expires > this.#now()) return entry?.value;
    this.#entries.delete(key);
    return undefined;
  }

  set(key: string, value: string, ttl: number): void {
    this.#put(key, value, ttl);
    this.#listeners.tell(key, value);
  }

  add(key: string, value: string, ttl: number): boolean {
    if (this.get(key) !== undefined) return false;
    this.set(key, value, ttl);
    return true;
  }

  renew(key: string, value: string, ttl: number): boolean {
    if (this.get(key) !== value) return false;
    this.#put(key, value, ttl);
    return true;
  }

  delete(key: string, value?: string): boolean {
    const found = this.get(key);
    if (found === undefined || (value !== undefined && found !== value)) return false;
    this.#entries.delete(key);
    this.#listeners.tell(key, undefined);
    return true;
  }

  increment(key: string, ttl: number): number {
    const count = Number(this.get(key) ?? 0) + 1;
    this.set(key, String(count), ttl);
    return count;
  }

  useCount(nonce: string, nc: number, expires: number): boolean {
    return this.#counts.use(nonce, nc, expires);
  }

  subscribe(key: string, listener: StateListener): () => void {
    const end = this.#listeners.add(key, listener);
    return () => void end();
  }

  close(): void {
    this.#listeners.clear();
  }

  #put(key: string, value: string, ttl: number): void {
    this.#entries.delete(key);
    this.#sweep();
    this.#entries.set(key, { value, expires: this.#now() + ttl });
  }

  /** Keys live unequally long: what has expired behind one that has not goes when it is asked for, or in its turn. */
  #sweep(): void {
    const now = this.#now();
    for (const [key, { expires }] of this.#entries) {
      if (expires > now && this.#entries.size < this.#limit) return;
      this.#entries.delete(key);
    }
  }
}
