import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import type { TunnelEnd } from '@chain407/core';
import { splice } from '@chain407/core';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { withOwnBuffers } from '../src/http/own-buffers.ts';

/** Tunnels whose sockets read into shared buffers: no byte may be lost, doubled or seen by another tunnel. */
const KIB = 1024;
const OPTIONS = { idleTimeout: 10_000, halfCloseTimeout: 10_000 };
const NOTHING = Buffer.alloc(0);

let front: Server;
let back: Server;
/** What the far end does with a connection. */
let serve: (socket: Socket) => void;
let onTunnelEnd: (end: TunnelEnd) => void = () => undefined;

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

beforeAll(async () => {
  back = createServer({ allowHalfOpen: true }, (socket) => serve(socket));
  front = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port: portOf(back), host: '127.0.0.1', allowHalfOpen: true });
    far.once('connect', () => {
      splice({ socket: near, head: NOTHING }, { socket: far, head: NOTHING }, OPTIONS).then((end) => onTunnelEnd(end));
    });
  });
  for (const server of [back, front]) await once(server.listen(0, '127.0.0.1'), 'listening');
});

afterAll(() => {
  front.close();
  back.close();
});

const dial = (): Socket => connect({ port: portOf(front), host: '127.0.0.1', allowHalfOpen: true });
const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** `slowly`: one piece now and then, so that the tunnel must wait. */
async function digestOf(socket: Socket, slowly = false): Promise<string> {
  const hash = createHash('sha256');
  socket.on('data', (bytes) => {
    hash.update(bytes);
    if (!slowly) return;
    socket.pause();
    setImmediate(() => socket.resume());
  });
  await once(socket, 'end');
  return hash.digest('hex');
}

describe.each([
  ['one byte', 1],
  ['as much as is read at once when idle', 16 * KIB],
  ['one byte more', 16 * KIB + 1],
  ['many buffers', 20 * 1024 * KIB],
])('%s', (_what, size) => {
  test.each([
    ['at once', false],
    ['slowly', true],
  ])('arrives whole in both directions where it is read %s', async (_how, slowly) => {
    const [up, down] = [randomBytes(size), randomBytes(size)];
    let received = '';
    serve = async (socket) => {
      received = await digestOf(socket, slowly);
      socket.end(down);
    };
    const ended = new Promise<TunnelEnd>((resolve) => {
      onTunnelEnd = resolve;
    });
    const client = dial();
    client.end(up);
    expect(await digestOf(client, slowly)).toBe(digest(down));
    client.destroy();
    expect(received).toBe(digest(up));
    expect(await ended).toEqual({ reason: 'closed', sent: size, received: size });
  });
});

test('many tunnels at once, in small and large pieces, keep their bytes to themselves', async () => {
  serve = (socket) => void socket.pipe(socket);
  const sizes = Array.from({ length: 64 }, (_, i) => (i % 8 === 0 ? 2048 * KIB : 100 + i * 331));
  const echoed = sizes.map(async (size) => {
    const bytes = randomBytes(size);
    const client = dial();
    const back = digestOf(client);
    for (let at = 0; at < size; at += 30_000) {
      if (!client.write(bytes.subarray(at, at + 30_000))) await once(client, 'drain');
    }
    client.end();
    return (await back) === digest(bytes);
  });
  expect(await Promise.all(echoed)).toEqual(sizes.map(() => true));
});

describe('a socket gets buffers of its own', () => {
  const pair = async (): Promise<[Socket, Socket]> => {
    const [client, [served]] = await Promise.all([
      (async () => {
        const socket = connect({ port: portOf(back), host: '127.0.0.1' });
        await once(socket, 'connect');
        return socket;
      })(),
      new Promise<[Socket]>((resolve) => {
        serve = (socket) => resolve([socket]);
      }),
    ]);
    return [client, served];
  };

  test('where it is a plain one; the old one closes with it, and it with the old one', async () => {
    for (const ends of ['old', 'new'] as const) {
      const [client, served] = await pair();
      const bare = withOwnBuffers(client, () => true) as Socket;
      expect(bare).not.toBe(client);
      const closed = Promise.all([once(client, 'close'), once(bare, 'close')]);
      (ends === 'old' ? client : bare).destroy();
      await closed;
      served.destroy();
    }
  });

  test('and not while bytes wait in it, or after it has ended', async () => {
    const [client, served] = await pair();
    served.write('x');
    await once(client, 'readable');
    expect(withOwnBuffers(client, () => true)).toBeUndefined();
    client.resume();
    served.end();
    await once(client, 'end');
    expect(withOwnBuffers(client, () => true)).toBeUndefined();
    served.destroy();
    client.destroy();
  });
});
