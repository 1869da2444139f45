import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { ScriptedConnection } from './scripted-connection.ts';
import type { ScriptedManners, ScriptedRequest, ScriptedUpstreamOptions } from './scripted-options.ts';
import { DEFAULT_MANNERS } from './scripted-options.ts';

/** An upstream proxy that does what a test tells it, well or badly. */
export interface ScriptedUpstream {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly port: number;
  /** What reached it, in order, whole or not. */
  readonly requests: readonly ScriptedRequest[];
  /** Sockets that are open now. */
  readonly connections: number;
  /** Cuts every connection and stops listening. Rejects with what a function of the script has thrown. */
  close(): Promise<void>;
}

class Script implements ScriptedUpstream {
  readonly #server: Server;
  readonly #manners: ScriptedManners;
  readonly #sockets = new Set<Socket>();
  readonly #requests: ScriptedRequest[] = [];
  readonly #errors: unknown[] = [];
  #accepted = 0;

  constructor(manners: ScriptedManners) {
    this.#manners = manners;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#serve(socket));
  }

  async listen(): Promise<void> {
    this.#server.listen({ host: '127.0.0.1', port: 0 });
    await once(this.#server, 'listening');
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get requests(): readonly ScriptedRequest[] {
    return this.#requests;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    if (this.#errors.length > 0) throw this.#errors[0];
  }

  #serve(socket: Socket): void {
    this.#accepted += 1;
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    const connection = new ScriptedConnection(socket, `s${this.#accepted}`, this.#manners, (request) =>
      this.#requests.push(request),
    );
    connection.serve().catch((error: unknown) => this.#errors.push(error));
  }
}

/**
 * Starts an upstream proxy on a free port of 127.0.0.1. It takes plain requests in absolute-form, which it answers
 * itself with 200 and the request as JSON; CONNECT, which it tunnels; and Upgrade to `echo` or `websocket`.
 *
 *     const upstream = await scriptedUpstream({
 *       advertise: ['NTLM, Basic realm="one line"'],
 *       accept: (credentials) => (credentials === 'Basic YWxpY2U6c2VjcmV0' ? 'accept' : 'reject'),
 *       faults: { framing407: 'chunked', segments: 'bytes' },
 *     });
 *
 * It asks again and again with `accept: () => 'reject'`.
 */
export async function scriptedUpstream(options: ScriptedUpstreamOptions = {}): Promise<ScriptedUpstream> {
  const script = new Script({ ...DEFAULT_MANNERS, ...options });
  await script.listen();
  return script;
}
