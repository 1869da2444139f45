import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Overrides that put a chain with its demonstration's origin on free ports in place of the default ones. */
export async function demoPorts(): Promise<string[]> {
  const [downstream, upstream, origin] = [await freePort(), await freePort(), await freePort()];
  return [
    ...['--set', `downstream.listen=127.0.0.1:${downstream}`],
    ...['--set', `upstream.listen=127.0.0.1:${upstream}`],
    ...['--set', `downstream.upstreams.upstream.url=http://127.0.0.1:${upstream}`],
    ...['--set', `upstream.hosts={ origin.test: '127.0.0.1:${origin}' }`],
  ];
}
