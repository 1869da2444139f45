import type { IncomingMessage, Server, ServerOptions } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { offersInPassing } from '../http/ignored-upgrade.ts';
import type { SecuredAddress } from '../tls/tls-material.ts';

/** What Node's server limits by itself. Times in milliseconds, sizes in bytes. */
export interface ServerLimits {
  readonly headerSize: number;
  readonly headerTimeout: number;
  /** Without a request, or while the client takes nothing of its answer. */
  readonly idleTimeout: number;
  /** While there is nothing to send to a client that has ended its direction. */
  readonly halfCloseTimeout: number;
}

/**
 * Node 24.9 and later ask first, and read the body of an upgrade themselves; before, {@link withoutOffer} is needed. What
 * a client pipelines in one packet with the end of such a body, they lose (seen until 26.10): it gets no answer, and nobody
 * else gets it.
 */
interface NewerServerOptions {
  readonly shouldUpgradeCallback: (req: IncomingMessage) => boolean;
}

/** Node's server for one listener, with TLS where the address says so; not listening yet, and without listeners. */
export function createHttpServer({ tls }: SecuredAddress, limits: ServerLimits): Server {
  const options: ServerOptions & NewerServerOptions = {
    maxHeaderSize: limits.headerSize,
    headersTimeout: limits.headerTimeout,
    keepAliveTimeout: limits.idleTimeout,
    // An upload may take as long as it likes; what stalls is found by the idle limits.
    requestTimeout: 0,
    // What is late together is ended together.
    connectionsCheckingInterval: 250,
    // The request guard asks for it: Node's own answer explains nothing.
    requireHostHeader: false,
    shouldUpgradeCallback: (req) => !offersInPassing(req.rawHeaders),
  };
  const server =
    tls === undefined ? createServer(options) : createSecureServer({ ...options, ...secured(tls, limits) });
  // Who has said all that it has to say may still want its answer.
  Object.assign(server, { httpAllowHalfOpen: true });
  // Beyond its limit Node drops the rest unseen, but still reads the body by a Content-Length among them: what we
  // forwarded would be framed otherwise. `headerCount` refuses them.
  server.maxHeadersCount = 0;
  server.timeout = limits.idleTimeout;
  return server;
}

const secured = (tls: NonNullable<SecuredAddress['tls']>, { headerTimeout }: ServerLimits): object => ({
  ...tls,
  // Clients that offer h2 beside it must know which of the two they get (RFC 7301 §3.2).
  ALPNProtocols: ['http/1.1'],
  // Node's server without TLS has it by itself.
  allowHalfOpen: true,
  handshakeTimeout: headerTimeout,
});
