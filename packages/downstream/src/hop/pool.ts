import type { ConnectionSource } from './connection-source.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

/** Idle connections in all; beyond this the one that has waited longest is closed. */
const MAX_IDLE = 1024;

/**
 * Idle connections, each under the key of the only ones it may serve: upstream + identity + scheme. A connection that
 * has carried the credentials of one identity is never given to another.
 */
export class Pool {
  readonly #idle = new Map<string, UpstreamConnection[]>();
  /** In the order in which they came to rest. */
  readonly #order = new Map<UpstreamConnection, string>();

  /** The connection that has rested shortest under this key. */
  take(key: string): UpstreamConnection | undefined {
    const waiting = this.#idle.get(key);
    for (;;) {
      const connection = waiting?.at(-1);
      if (connection === undefined) return undefined;
      this.#forget(connection);
      connection.wake();
      if (connection.reusable) return connection;
    }
  }

  /** Keeps a connection for `idleTimeout` ms, or drops it where it cannot serve again. */
  put(key: string, connection: UpstreamConnection, idleTimeout: number): void {
    if (!connection.reusable) {
      connection.destroy();
      return;
    }
    const waiting = this.#idle.get(key);
    if (waiting === undefined) this.#idle.set(key, [connection]);
    else waiting.push(connection);
    this.#order.set(connection, key);
    connection.idle(idleTimeout, () => this.#forget(connection));
    if (this.#order.size > MAX_IDLE) this.#order.keys().next().value?.destroy();
  }

  /** The pool as one identity sees it. */
  source(key: string, idleTimeout: number): ConnectionSource {
    return { take: () => this.take(key), put: (connection) => this.put(key, connection, idleTimeout) };
  }

  /** Connections that rest under this key. */
  idle(key: string): number {
    return this.#idle.get(key)?.length ?? 0;
  }

  get size(): number {
    return this.#order.size;
  }

  close(): void {
    for (const connection of [...this.#order.keys()]) connection.destroy();
  }

  #forget(connection: UpstreamConnection): void {
    const key = this.#order.get(connection);
    if (key === undefined) return;
    this.#order.delete(connection);
    const waiting = this.#idle.get(key);
    waiting?.splice(waiting.lastIndexOf(connection), 1);
    if (waiting?.length === 0) this.#idle.delete(key);
  }
}
