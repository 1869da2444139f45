import { Redis } from 'ioredis';
import { MemoryStore } from './memory-store.ts';
import { MAX_COUNT } from './nonce-counts.ts';
import type { StateListener, StateStore } from './state-store.ts';

/** In front of every key and channel. */
const PREFIX = 'chain407:';
/** Deletes a key where it still has a value: two commands would let somebody in between. */
const DELETE_IF = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0";
/** Milliseconds; a request waits for it. */
const COMMAND_TIMEOUT = 1_000;

/**
 * The state of all replicas, in Redis. While that cannot be reached, each process goes by its own memory, which `log` hears
 * once, and once more when it is over.
 */
export class RedisStore implements StateStore {
  readonly #redis: Redis;
  readonly #subscriber: Redis;
  readonly #listeners = new Map<string, Set<StateListener>>();
  readonly #own: MemoryStore;
  readonly #log: (message: string) => void;
  #reachable = true;

  constructor(url: string, now: () => number, log: (message: string) => void) {
    const options = { commandTimeout: COMMAND_TIMEOUT, maxRetriesPerRequest: 0, enableOfflineQueue: false };
    this.#redis = new Redis(url, { ...options, lazyConnect: true });
    // Subscriptions are made anew after each reconnection, so they may wait for the first.
    this.#subscriber = new Redis(url, { lazyConnect: true });
    this.#own = new MemoryStore(now);
    this.#log = log;
    this.#subscriber.on('message', (channel: string, text: string) => this.#heard(channel, text));
    // Told by each command that fails.
    this.#redis.on('error', () => undefined);
    this.#subscriber.on('error', () => undefined);
  }

  /** Connects; where that fails it is tried again and again in the background. */
  async connect(): Promise<void> {
    await Promise.all([this.#redis, this.#subscriber].map((redis) => redis.connect().catch(() => undefined)));
  }

  get(key: string): Promise<string | undefined> {
    return this.#try(
      async () => (await this.#redis.get(PREFIX + key)) ?? undefined,
      () => this.#own.get(key),
    );
  }

  set(key: string, value: string, ttl: number): Promise<void> {
    return this.#try(
      async () => {
        await this.#redis.set(PREFIX + key, value, 'PX', Math.ceil(ttl));
        await this.#redis.publish(PREFIX + key, `=${value}`);
      },
      () => this.#own.set(key, value, ttl),
    );
  }

  add(key: string, value: string, ttl: number): Promise<boolean> {
    return this.#try(
      async () => (await this.#redis.set(PREFIX + key, value, 'PX', Math.ceil(ttl), 'NX')) === 'OK',
      () => this.#own.add(key, value, ttl),
    );
  }

  delete(key: string, value?: string): Promise<void> {
    return this.#try(
      async () => {
        if (value === undefined) await this.#redis.del(PREFIX + key);
        else await this.#redis.eval(DELETE_IF, 1, PREFIX + key, value);
        await this.#redis.publish(PREFIX + key, '');
      },
      () => this.#own.delete(key, value),
    );
  }

  subscribe(key: string, listener: StateListener): () => void {
    const channel = PREFIX + key;
    const listeners = this.#listeners.get(channel) ?? new Set();
    if (listeners.size === 0) void this.#subscriber.subscribe(channel).catch(() => undefined);
    this.#listeners.set(channel, listeners.add(listener));
    const forget = this.#own.subscribe(key, listener);
    return () => {
      forget();
      listeners.delete(listener);
      if (listeners.size > 0) return;
      this.#listeners.delete(channel);
      void this.#subscriber.unsubscribe(channel).catch(() => undefined);
    };
  }

  useCount(nonce: string, nc: number, expires: number): Promise<boolean> {
    const key = `${PREFIX}nonce:${nonce}`;
    return this.#try(
      async () => {
        if (nc >= MAX_COUNT) return false;
        const [used] = (await this.#redis.multi().setbit(key, nc, 1).pexpireat(key, expires).exec()) ?? [];
        if (used === undefined || used[0] !== null) throw new Error('no answer');
        return used[1] === 0;
      },
      async () => this.#own.useCount(nonce, nc, expires),
    );
  }

  async close(): Promise<void> {
    this.#redis.disconnect();
    this.#subscriber.disconnect();
    await this.#own.close();
  }

  #heard(channel: string, text: string): void {
    const value = text.startsWith('=') ? text.slice(1) : undefined;
    for (const listener of [...(this.#listeners.get(channel) ?? [])]) listener(value);
  }

  async #try<T>(shared: () => Promise<T>, alone: () => Promise<T>): Promise<T> {
    try {
      const result = await shared();
      if (!this.#reachable) this.#log('the state store is reached again: state is shared from now on');
      this.#reachable = true;
      return result;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (this.#reachable) this.#log(`the state store cannot be reached, and each process goes by itself: ${why}`);
      this.#reachable = false;
      return alone();
    }
  }
}
