import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { RawConnection } from '../../src/index.ts';
import { Child } from './child.ts';
import { measure, startTierProcess } from './tier.ts';

const OPEN_FILES = 300;
/** Half of 3/4 of those that the process does not need for itself, rounded up: each tunnel takes a second one. */
const ROOM = 89;
/** That many are let in who ask for nothing; exchanges begin up to 7/8. */
const LET_IN = 177;
const FIRST = 30;

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

const CONNECT = 'CONNECT origin.test:443 HTTP/1.1\r\nHost: origin.test:443\r\n\r\n';

/** What a client is told that asks for a tunnel. */
async function told(client: RawConnection): Promise<string> {
  const { status, headers } = await client.exchange(CONNECT);
  return `${status} ${/details="([^"]*)"/.exec(headers.join())?.[1] ?? 'tunnel'}`;
}

async function arrive(port: number): Promise<RawConnection> {
  const client = await RawConnection.connect(port);
  closing.push(() => client.destroy());
  return client;
}

test('with few open files every client that is let in gets its tunnel, and each of the others is told why not', async () => {
  const tier = await startTierProcess('downstream', await granting(), {}, OPEN_FILES);
  const answers: string[] = [];
  for (let i = 0; i < OPEN_FILES; i += 1) answers.push(await told(await arrive(tier.port)));
  const tunnels = Array<string>(ROOM).fill('200 tunnel');
  expect(answers).toEqual([...tunnels, ...Array<string>(OPEN_FILES - ROOM).fill('503 open files')]);
});

test('clients that were let in together, and then all want a tunnel: no more get one than there are files for', async () => {
  const tier = await startTierProcess('downstream', await granting(), {}, OPEN_FILES);
  const clients: RawConnection[] = [];
  for (let i = 0; i < LET_IN; i += 1) clients.push(await arrive(tier.port));
  // The system takes connections before the process does.
  while ((await measure(tier)).connections < LET_IN);
  const answers: string[] = [];
  for (const client of clients) answers.push(await told(client));
  const { descriptors, errors } = await measure(tier);
  expect(new Set(answers)).toEqual(new Set(['200 tunnel', '503 open files']));
  expect(answers.slice(0, FIRST)).toEqual(Array<string>(FIRST).fill('200 tunnel'));
  expect(descriptors).toBeLessThan(OPEN_FILES);
  expect(errors).toEqual([]);
});
