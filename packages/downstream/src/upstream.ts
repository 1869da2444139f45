import type { Credential } from './account/credentials.ts';
import type { ConnectionOptions } from './hop/upstream-connection.ts';

/** One proxy that a route can go through. */
export interface Upstream {
  /** Its name in the configuration; stands in pages, `Proxy-Status` and the log. */
  readonly name: string;
  readonly connection: ConnectionOptions;
  /** Milliseconds that an unused connection is kept. */
  readonly idleTimeout: number;
  /** Logged-in connections that are kept ready for tunnels. */
  readonly spare: number;
  /** Ours for it, where the configuration names some. */
  readonly credential: Credential | undefined;
}
