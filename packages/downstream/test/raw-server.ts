import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { Cancellation } from '../src/hop/cancellation.ts';
import type { ConnectionOptions } from '../src/hop/upstream-connection.ts';
import { UpstreamConnection } from '../src/hop/upstream-connection.ts';
import { closeLater } from './support.ts';

export const OPTIONS: Omit<ConnectionOptions, 'port'> = {
  host: '127.0.0.1',
  connectTimeout: 5000,
  responseTimeout: 5000,
  headerSize: 4096,
  headerCount: 100,
};

/** Listens on a free port and hands every connection over; the port. */
export async function rawServer(greet: (socket: Socket) => void = () => undefined): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    greet(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closeLater(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return (server.address() as AddressInfo).port;
}

/** Both ends of a connection. */
export interface Pair {
  readonly connection: UpstreamConnection;
  readonly peer: Socket;
}

export async function connected(limits: Partial<ConnectionOptions> = {}): Promise<Pair> {
  const peers: Socket[] = [];
  let arrived = (): void => undefined;
  const arrival = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const port = await rawServer((socket) => {
    peers.push(socket);
    arrived();
  });
  const connection = await UpstreamConnection.connect({ ...OPTIONS, ...limits, port }, new Cancellation());
  closeLater(() => connection.destroy());
  await arrival;
  return { connection, peer: peers[0] as Socket };
}
