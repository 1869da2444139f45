/** Hears the value that a key has now; `undefined`: none any more. */
export type StateListener = (value: string | undefined) => void;

/**
 * What workers and replicas have to agree on: how often a secret was refused, who is trying it, which counts of a nonce
 * were used. Values are small texts that live for `ttl` milliseconds. Nothing in it is a secret. Never rejects: a store
 * that cannot be reached gives the answers of this process alone.
 */
export interface StateStore {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string, ttl: number): Promise<void>;
  /** True where the key had no value: then it has this one. For a lease. */
  add(key: string, value: string, ttl: number): Promise<boolean>;
  /** With `value`: only where the key still has it. */
  delete(key: string, value?: string): Promise<void>;
  /** Calls `listener` after each `set` and `delete`, also by others, until what this returns is called. */
  subscribe(key: string, listener: StateListener): () => void;
  /**
   * True the first time that a count is used with a nonce of Digest (RFC 7616 §3.4.5), which need not be remembered after
   * `expires`, in milliseconds since 1970. At once where nobody else is asked.
   */
  useCount(nonce: string, nc: number, expires: number): boolean | Promise<boolean>;
  close(): Promise<void>;
}
