import type { Socket } from 'node:net';
import type { ConnectionSource } from './connection-source.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

/**
 * Upstream connections that belong to one client connection: relayed NTLM and Negotiate log a *connection* in, so no
 * other client may ever come near it. Both die together.
 */
export class Pins {
  readonly #byClient = new WeakMap<Socket, Map<string, UpstreamConnection | undefined>>();

  /** True once a connection-bound scheme was relayed for this client to this upstream. */
  has(client: Socket, upstream: string): boolean {
    return this.#byClient.get(client)?.has(upstream) ?? false;
  }

  /** The client's own place; from now on {@link has} is true. */
  source(client: Socket, upstream: string): ConnectionSource {
    const owned = this.#byClient.get(client) ?? this.#adopt(client);
    if (!owned.has(upstream)) owned.set(upstream, undefined);
    return {
      take: () => {
        const connection = owned.get(upstream);
        owned.set(upstream, undefined);
        return connection?.reusable === true ? connection : undefined;
      },
      put: (connection) => {
        if (client.destroyed || !connection.reusable) connection.destroy();
        else owned.set(upstream, connection);
      },
    };
  }

  #adopt(client: Socket): Map<string, UpstreamConnection | undefined> {
    const owned = new Map<string, UpstreamConnection | undefined>();
    this.#byClient.set(client, owned);
    client.once('close', () => {
      for (const connection of owned.values()) connection?.destroy();
    });
    return owned;
  }
}
