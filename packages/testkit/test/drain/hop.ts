import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createEcho } from 'node:net';

/** A request that the next hop has got, and that the test answers. */
export interface Asked {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/** What lies behind the tier: an upstream that asks nobody, or an origin; and where tunnels lead, to an echo. */
export interface Hop {
  readonly port: number;
  readonly echo: number;
  /** The next request, in order of arrival. */
  asked(): Promise<Asked>;
  /** Holds the next CONNECT back; resolves when it is there, with what grants it. */
  heldTunnel(): Promise<() => void>;
  close(): void;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

export async function startHop(): Promise<Hop> {
  const arrived: Asked[] = [];
  const waiting: ((asked: Asked) => void)[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((req, res) => {
    const next = waiting.shift();
    if (next === undefined) arrived.push({ req, res });
    else next({ req, res });
  });
  let hold: ((grant: () => void) => void) | undefined;
  server.on('connect', (_req, socket) => {
    const grant = (): void => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(socket);
    };
    if (hold === undefined) grant();
    else hold(grant);
    hold = undefined;
  });
  const echo = createEcho({ allowHalfOpen: true }, (socket) => void socket.pipe(socket));
  for (const each of [server, echo]) {
    each.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.setNoDelay(true);
    });
    await once(each.listen(0, '127.0.0.1'), 'listening');
  }
  return {
    port: portOf(server),
    echo: portOf(echo),
    asked: () =>
      new Promise((resolve) => {
        const first = arrived.shift();
        if (first === undefined) waiting.push(resolve);
        else resolve(first);
      }),
    heldTunnel: () =>
      new Promise((resolve) => {
        hold = resolve;
      }),
    close: () => {
      for (const each of [server, echo]) each.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
