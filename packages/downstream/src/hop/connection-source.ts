import type { UpstreamConnection } from './upstream-connection.ts';

/** Where a negotiation gets connections that may serve its identity, and where it leaves them for the next one. */
export interface ConnectionSource {
  take(): UpstreamConnection | undefined;
  put(connection: UpstreamConnection): void;
}
