import { once } from 'node:events';
import { createConnection } from 'node:net';
import { makeFolder, remove } from './folder.ts';
import { freePort } from './free-port.ts';
import { startService } from './program.ts';

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** Every key, as a text that can be searched. */
  keys(): Promise<string>;
  stop(): Promise<void>;
}

/** A real Redis on loopback, without persistence. */
export async function startRedis(port?: number): Promise<RedisServer> {
  const own = port ?? (await freePort());
  const folder = makeFolder('redis');
  const args = ['--port', `${own}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
  const service = await startService('redis-server', args, { folder }, (output) =>
    output.includes('Ready to accept connections'),
  );
  return {
    url: `redis://127.0.0.1:${own}`,
    port: own,
    keys: async () => {
      const socket = createConnection({ host: '127.0.0.1', port: own });
      socket.write('KEYS *\r\nQUIT\r\n');
      const chunks: Buffer[] = [];
      socket.on('data', (bytes: Buffer) => chunks.push(bytes));
      await once(socket, 'close');
      return Buffer.concat(chunks).toString();
    },
    stop: async () => {
      await service.stop();
      remove(folder);
    },
  };
}
