import { z } from 'zod';
import { duration, size } from './fields.ts';

/**
 * The limits that both tiers have, with their defaults and where those come from. Times are in milliseconds; 0 turns a
 * limit of connections off.
 */
export const limitFields = () => ({
  /** Of a head, the request's and the response's. HAProxy: 16 KiB, Squid and nginx 64 KiB and 32 KiB. */
  headerSize: size().default(64 * 1024),
  /** Fields in a head. HAProxy: 101, httpd: 100; Node, too, stops at 1000. */
  headerCount: z.int().min(1).default(256),
  /** Of clients, in one process, within 3/4 of its open files. HAProxy: what those allow; Envoy warns where there is no limit. */
  connections: z.int().min(0).default(20_000),
  /** Squid's client_ip_max_connections, which is off by default, too: behind NAT many clients have one address. */
  connectionsPerClient: z.int().min(0).default(0),
  /** For a head, and for a TLS handshake. httpd: 20-40 s, nginx: 60 s, HAProxy's documentation: 5-10 s. */
  headerTimeout: duration().default(15_000),
  /**
   * A client connection without a request (Squid: 2 min, nginx: 75 s), or whose client takes nothing of its answer (nginx's
   * send_timeout: 60 s, Squid's write_timeout: 15 min; HAProxy's timeout client is both).
   */
  idleTimeout: duration().default(300_000),
  /**
   * To send nothing to a client that has ended its direction while it waits for its answer: it may want that, or have gone.
   * nginx and Squid take it for gone at once, HAProxy waits as long as the server takes (before 3.3).
   */
  halfCloseTimeout: duration().default(10_000),
  /** Name, TCP and TLS. Squid: 1 min, HAProxy's documentation: 5 s. */
  connectTimeout: duration().default(10_000),
  /** A tunnel without a byte. Envoy: 1 h, as HAProxy's documentation has it for tunnels. */
  tunnelIdleTimeout: duration().default(3_600_000),
  /** The same, once one side has ended its direction. Forwarder: 1 min, HAProxy's documentation: 30 s. */
  tunnelHalfCloseTimeout: duration().default(60_000),
  /** At SIGTERM, for what is under way. */
  drain: duration().default(30_000),
});
