import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Role } from '../plain-tier.ts';
import { plainSection, startTier } from '../plain-tier.ts';
import { standstill } from '../standstill.ts';
import type { RawHop } from './hop.ts';
import { rawHop } from './hop.ts';
import { held } from './memory.ts';
import { pour } from './pour.ts';

/** One side sends as fast as it can, the other takes nothing: the tier in between holds what its buffers hold, and no more. */
const CONNECTIONS = 20;
const MIB = 1024 * 1024;
/** On each connection; more than what the system keeps on both ways. */
const OFFERED = 64 * MIB;
const OK = `HTTP/1.1 200 OK\r\nContent-Length: ${OFFERED}\r\n\r\n`;

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (let close = opened.pop(); close !== undefined; close = opened.pop()) await close();
});

interface Stage {
  readonly hop: RawHop;
  readonly client: (text: string) => Promise<Socket>;
  readonly request: (method: string, more?: string) => string;
  /** A tunnel in which the client has said something, and reads no more. */
  readonly tunnel: () => Promise<Socket>;
}

/** A tier, what is behind it, and how clients begin. */
async function stage(role: Role, serve: (socket: Socket) => void, limits: object = {}): Promise<Stage> {
  const hop = await rawHop(serve);
  const tier = await startTier(role, plainSection(role, hop.port, { drain: '1ms', ...limits }));
  opened.push(
    () => hop.close(),
    () => tier.close(),
  );
  const authority = `127.0.0.1:${hop.port}`;
  const request = (method: string, more = ''): string =>
    `${method} http://${authority}/ HTTP/1.1\r\nHost: ${authority}\r\n${more}\r\n`;
  const client = async (text: string): Promise<Socket> => {
    const socket = connect({ host: '127.0.0.1', port: tier.port });
    opened.push(() => socket.destroy());
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.write(text);
    return socket;
  };
  const tunnel = async (): Promise<Socket> => {
    const socket = await client(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
    await once(socket, 'data');
    socket.pause().write('x');
    return socket;
  };
  return { hop, client, request, tunnel };
}

/** By an end, or by a reset. */
const closed = (socket: Socket): Promise<unknown> =>
  new Promise((resolve) => (socket.closed ? resolve(undefined) : socket.once('close', resolve)));

const stop = (socket: Socket): void => void socket.pause();
const pourAll = (socket: Socket): void => pour(socket, OFFERED);
const answer = (socket: Socket): void => {
  socket.write(OK);
  pour(socket, OFFERED);
};

interface Row {
  /** What the next hop does with a request, or at the end of a tunnel. */
  readonly serve: (socket: Socket) => void;
  /** Begins it; returns the client's side. */
  readonly begin: (stage: Stage) => Promise<Socket>;
  /** That sends. */
  readonly fast: 'clients' | 'hop';
  /** Bytes that may be held for each. */
  readonly most: number;
}

const ROWS: { readonly [what: string]: Row } = {
  'a download that the client does not take': {
    serve: answer,
    begin: async ({ client, request }) => (await client(request('GET'))).pause(),
    fast: 'hop',
    most: MIB,
  },
  'an upload that the next hop does not take': {
    serve: stop,
    begin: async ({ client, request }) => {
      const socket = await client(request('POST', `Content-Length: ${OFFERED}\r\n`));
      pourAll(socket);
      return socket;
    },
    fast: 'clients',
    most: MIB,
  },
  'a tunnel whose client takes nothing': { serve: pourAll, begin: ({ tunnel }) => tunnel(), fast: 'hop', most: MIB },
  'a tunnel whose far end takes nothing': {
    serve: stop,
    begin: async ({ tunnel }) => {
      const socket = await tunnel();
      pourAll(socket);
      return socket;
    },
    fast: 'clients',
    most: MIB,
  },
  'requests in a row without an answer to the first': {
    serve: () => undefined,
    begin: async ({ client, request }) => {
      const socket = await client(request('GET'));
      pour(socket, OFFERED, Buffer.from(request('GET').repeat(1000)));
      return socket;
    },
    fast: 'clients',
    // One read of 64 KiB may bring hundreds of requests, each of which is an object of Node's until its turn.
    most: 4 * MIB,
  },
};

describe.each<Role>(['downstream', 'upstream'])('the %s holds little of', (role) => {
  test.each(Object.entries(ROWS))('%s', async (_what, { serve, begin, fast, most }) => {
    const staged = await stage(role, serve);
    (await begin(staged)).destroy();
    await standstill(() => staged.hop.sockets.size);
    const before = held();
    const clients: Socket[] = [];
    for (let i = 0; i < CONNECTIONS; i += 1) clients.push(await begin(staged));
    const senders = (): readonly Socket[] => (fast === 'clients' ? clients : [...staged.hop.sockets]);
    await standstill(() => senders().reduce((sum, { bytesWritten }) => sum + bytesWritten, 0));
    expect(senders()).toHaveLength(CONNECTIONS);
    for (const sender of senders()) expect(sender.writableLength).toBeGreaterThan(0);
    expect((held() - before) / CONNECTIONS).toBeLessThan(most);
  });

  test('a download that the client does not take: after the idle limit it is ended on both sides', async () => {
    const staged = await stage(role, answer, { idleTimeout: '200ms' });
    const client = await staged.client(staged.request('GET'));
    client.pause();
    await standstill(() => staged.hop.sockets.size);
    for (const behind of staged.hop.sockets) await closed(behind);
    client.resume();
    await closed(client);
  });
});

describe.each<Role>(['downstream', 'upstream'])('a client of the %s', (role) => {
  test('that does not take its download for longer than the next hop may be silent gets all of it', async () => {
    const dialled: Socket[] = [];
    const onSocket = (message: unknown): void => void dialled.push((message as { readonly socket: Socket }).socket);
    const staged = await stage(role, answer, { responseTimeout: '250ms' });
    const client = await staged.client(staged.request('GET'));
    client.pause();
    subscribe('net.client.socket', onSocket);
    opened.push(() => unsubscribe('net.client.socket', onSocket));
    await standstill(() => dialled.length);
    const [toHop] = dialled as [Socket];
    for (let i = 0; i < 2; i += 1) await once(toHop, 'timeout');
    let bytes = 0;
    client.on('data', (piece) => {
      bytes += piece.length;
      if (bytes > OFFERED) client.end();
    });
    client.resume();
    await once(client, 'close');
    expect(bytes).toBeGreaterThan(OFFERED);
  });
});
