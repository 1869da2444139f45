import type { MaybePromise } from '@chain407/auth';

/** What a subscriber hears: the value that a key now has, `undefined` where it was deleted. */
export type StateListener = (value: string | undefined) => void;

/**
 * What processes know together: workers of one primary, replicas on several machines. Small texts under keys, each for
 * a limited time. Times are in milliseconds. The memory of one process answers at once, others with promises; none
 * rejects: what stands behind a store may be away, and then it is the memory of this process that answers.
 */
export interface StateStore {
  get(key: string): MaybePromise<string | undefined>;
  /** From now on, for `ttl`. */
  set(key: string, value: string, ttl: number): MaybePromise<void>;
  /** True where the key was absent: now it is ours, a lease, until it is deleted or `ttl` is over. */
  add(key: string, value: string, ttl: number): MaybePromise<boolean>;
  /** Another `ttl` for what still has this value; false where it has not. */
  renew(key: string, value: string, ttl: number): MaybePromise<boolean>;
  /** With `value`: only where the key has it. True where something was deleted. */
  delete(key: string, value?: string): MaybePromise<boolean>;
  /** Adds one to a count that begins at 0, and keeps it for another `ttl`: what it is now. `get` reads it. */
  increment(key: string, ttl: number): MaybePromise<number>;
  /**
   * True the first time that a count is used with a nonce (RFC 7616 §3.4.5), which need not be remembered after
   * `expires`, in milliseconds since 1970. A count too low or too high to be remembered passes for used.
   */
  useCount(nonce: string, nc: number, expires: number): MaybePromise<boolean>;
  /**
   * Hears every `set` and `delete` of a key, one's own too, until what this returns is called. Not that its time is
   * over; and where the store was away, not what happened meanwhile.
   */
  subscribe(key: string, listener: StateListener): () => void;
  close(): MaybePromise<void>;
}

/** Counts from here on pass for used: as a bitmap in redis, one nonce takes 128 KiB at most. */
export const MAX_COUNT = 2 ** 20;
