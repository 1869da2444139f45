import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';

/** What lies behind the tier, byte by byte: an upstream that asks nobody, an origin, or the end of a tunnel. */
export interface RawHop {
  readonly port: number;
  readonly sockets: ReadonlySet<Socket>;
  close(): void;
}

/** `serve` gets each connection once the client has said something on it: a request, or something in a tunnel. */
export async function rawHop(serve: (socket: Socket) => void): Promise<RawHop> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket)).on('error', () => undefined);
    const onData = (bytes: Buffer): void => {
      if (bytes.toString('latin1').startsWith('CONNECT ')) {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        return;
      }
      socket.off('data', onData);
      serve(socket);
    };
    socket.on('data', onData);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const close = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: (server.address() as AddressInfo).port, sockets, close };
}
