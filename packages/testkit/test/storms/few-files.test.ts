import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { RawConnection } from '../../src/index.ts';
import { Child } from './child.ts';
import { startTier } from './tier.ts';

const OPEN_FILES = 300;
/** 7/16 of those that the process does not need for itself: each may have a tunnel, which takes a second one. */
const ROOM = 103;

const closing: (() => void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) close();
  await Child.endAll();
});

/** A next hop that grants every tunnel. */
async function granting(): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
  });
  closing.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

test('with few open files every client that is let in gets its tunnel, and each of the others is told why not', async () => {
  const tier = await startTier('downstream', await granting(), {}, OPEN_FILES);
  const answers: string[] = [];
  for (let i = 0; i < OPEN_FILES; i += 1) {
    const client = await RawConnection.connect(tier.port);
    closing.push(() => client.destroy());
    const { status, headers } = await client.exchange(
      'CONNECT origin.test:443 HTTP/1.1\r\nHost: origin.test:443\r\n\r\n',
    );
    answers.push(`${status} ${/details="([^"]*)"/.exec(headers.join())?.[1] ?? 'tunnel'}`);
  }
  const tunnels = Array<string>(ROOM).fill('200 tunnel');
  expect(answers).toEqual([...tunnels, ...Array<string>(OPEN_FILES - ROOM).fill('503 open files')]);
});
