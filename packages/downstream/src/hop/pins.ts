import type { Socket } from 'node:net';
import { responseUnderWay } from '@chain407/core';
import type { ConnectionSource } from './connection-source.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

/** Milliseconds; by then an account may have been closed that a connection still speaks for. */
const MAX_AGE = 3_600_000;

interface Pin {
  connection: UpstreamConnection | undefined;
  /** From when the client's connection is not used any longer. */
  readonly ends: number;
}

/**
 * Upstream connections that belong to one client connection: relayed NTLM and Negotiate log a *connection* in, so no
 * other client may ever come near it. Both die together. A client connection has one for each upstream that it was
 * relayed to, so the limit of client connections bounds them as well.
 */
export class Pins {
  readonly #byClient = new WeakMap<Socket, Map<string, Pin>>();
  readonly #now: () => number;

  /** `now` in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** True once a connection-bound scheme was relayed for this client to this upstream. */
  has(client: Socket, upstream: string): boolean {
    return this.#byClient.get(client)?.has(upstream) ?? false;
  }

  /** True where the client's connection has been logged in for too long: what it asks for is the last that it gets. */
  expired(client: Socket, upstream: string): boolean {
    const pin = this.#byClient.get(client)?.get(upstream);
    return pin !== undefined && pin.ends <= this.#now();
  }

  /** The client's own place; from now on {@link has} is true. Unused, a connection and its client's end after `idleTimeout` ms. */
  source(client: Socket, upstream: string, idleTimeout: number): ConnectionSource {
    const pin = this.#pin(client, upstream);
    return {
      take: () => {
        const { connection } = pin;
        pin.connection = undefined;
        connection?.wake();
        return connection?.reusable === true ? connection : undefined;
      },
      put: (connection) => {
        if (client.destroyed || !connection.reusable) {
          connection.destroy();
          return;
        }
        pin.connection = connection;
        // The client believes that it is logged in: it is told the only way there is that it is not any more.
        connection.idle(idleTimeout, () => endAfterAnswer(client));
      },
    };
  }

  #pin(client: Socket, upstream: string): Pin {
    const pins = this.#byClient.get(client) ?? this.#adopt(client);
    const pin = pins.get(upstream) ?? { connection: undefined, ends: this.#now() + MAX_AGE };
    pins.set(upstream, pin);
    return pin;
  }

  #adopt(client: Socket): Map<string, Pin> {
    const pins = new Map<string, Pin>();
    this.#byClient.set(client, pins);
    client.once('close', () => {
      for (const { connection } of pins.values()) {
        connection?.wake();
        connection?.destroy();
      }
    });
    return pins;
  }
}

/** Not before an answer that is under way has gone out, be it of another upstream. */
function endAfterAnswer(client: Socket): void {
  const response = responseUnderWay(client);
  if (response === undefined || response.writableFinished || response.destroyed) {
    client.end();
    return;
  }
  response.shouldKeepAlive = false;
  response.once('finish', () => client.end());
}
