import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An upstream that asks nobody, or an origin: it answers everything with 200, and keeps no connection. */
export async function nextHop(): Promise<{ port: number; close: () => void }> {
  const server = createServer(
    (req, res) => void req.resume().once('end', () => res.setHeader('Connection', 'close').end('taken')),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { port: (server.address() as AddressInfo).port, close };
}
