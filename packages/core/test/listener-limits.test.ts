import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { ClientExchange, ListenerOptions } from '@chain407/core';
import { afterEach, describe, expect, test } from '@jest/globals';
import { RawClient } from './raw.ts';
import { startListener } from './start-listener.ts';

/** Beyond a limit there is a clear status, and what is within it goes on. */
const REQUEST = 'GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n';
const CLOSERS: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (let close = CLOSERS.pop(); close !== undefined; close = CLOSERS.pop()) await close();
});

async function listening(limits: Partial<ListenerOptions['limits']>): ReturnType<typeof startListener> {
  const listener = await startListener(({ res }) => res.end('taken'), limits);
  CLOSERS.push(() => listener.kill());
  return listener;
}

async function connected(port: number): Promise<RawClient> {
  const client = await RawClient.connect(port);
  CLOSERS.push(() => client.destroy());
  return client;
}

describe.each([
  ['in all', { connections: 2 }, 'connections'],
  ['of one client', { connectionsPerClient: 2 }, 'connectionsPerClient'],
])('connections beyond the limit %s', (_whose, limits, name) => {
  test('are answered 503 at their first request, and closed; the others go on, and make room when they end', async () => {
    const listener = await listening(limits);
    const [first, second, third] = [
      await connected(listener.port),
      await connected(listener.port),
      await connected(listener.port),
    ];
    const answer = await third.write(REQUEST).toEnd();
    expect(answer).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n/);
    expect(answer).toContain(`Proxy-Status: t; error=connection_limit_reached; details="limits.${name}"`);
    expect(answer).toContain('Connection: close\r\n');
    expect(listener.connections).toBe(2);
    expect(await first.write(REQUEST).until('taken')).toMatch(/^HTTP\/1\.1 200 /);
    await second.destroy();
    await first.write(REQUEST).until('taken');
    const fourth = await connected(listener.port);
    expect(await fourth.write(REQUEST).until('taken')).toMatch(/^HTTP\/1\.1 200 /);
  });
});

test('far beyond the limit the first that say nothing are closed: the last are still told so, and none pile up', async () => {
  const listener = await listening({ connections: 1 });
  const clients: RawClient[] = [];
  for (let i = 0; i < 258; i += 1) clients.push(await connected(listener.port));
  const [within, silent, waiting] = clients as [RawClient, RawClient, RawClient];
  expect(await silent.toEnd()).toBe('');
  expect(await (clients.at(-1) as RawClient).write(REQUEST).toEnd()).toMatch(/^HTTP\/1\.1 503 /);
  expect(await waiting.write(REQUEST).toEnd()).toMatch(/^HTTP\/1\.1 503 /);
  expect(await within.write(REQUEST).until('taken')).toMatch(/^HTTP\/1\.1 200 /);
});

describe('a head', () => {
  const fields = (count: number): string => Array.from({ length: count }, (_, i) => `X-${i}: ${i}\r\n`).join('');

  test('of as many fields as the limit is taken, of one more refused as 431', async () => {
    const listener = await listening({ headerCount: 50 });
    const client = await connected(listener.port);
    client.write(`GET http://a/ HTTP/1.1\r\nHost: a\r\n${fields(49)}\r\n`);
    expect(await client.until('taken')).toMatch(/^HTTP\/1\.1 200 /);
    client.write(`GET http://a/ HTTP/1.1\r\nHost: a\r\n${fields(50)}\r\n`);
    expect(await client.toEnd()).toMatch(/^HTTP\/1\.1 431 [\s\S]*details="more than 50 header fields"/);
  });

  test('that takes too long, or does not begin, is 408', async () => {
    const listener = await listening({ headerTimeout: 50, connections: 1000 });
    const [slow, silent] = [await connected(listener.port), await connected(listener.port)];
    slow.write('GET http://a/ HTT');
    const many = await Promise.all(Array.from({ length: 120 }, () => connected(listener.port)));
    expect(await slow.toEnd()).toMatch(/^HTTP\/1\.1 408 [\s\S]*the request head did not come in time/);
    for (const client of [silent, ...many]) expect(await client.toEnd()).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('a connection without a request is closed after the idle limit', async () => {
    const listener = await listening({ idleTimeout: 20 });
    const client = await connected(listener.port);
    await client.write(REQUEST).until('taken');
    expect(await client.toEnd()).not.toContain('HTTP');
  });
});

describe('a client whose answer is under way', () => {
  const ENDLESS = Buffer.alloc(64 * 1024);
  const exchanges: ClientExchange[] = [];
  /** Writes for as long as the client takes it. */
  const pour = (res: ServerResponse): void => {
    const more = (): void => {
      while (res.write(ENDLESS));
    };
    res.on('drain', more);
    more();
  };
  const answering = async (limits: Partial<ListenerOptions['limits']>, answer: (exchange: ClientExchange) => void) => {
    const listener = await startListener((exchange) => {
      exchanges.push(exchange);
      answer(exchange);
    }, limits);
    CLOSERS.push(() => listener.kill());
    return connected(listener.port);
  };
  afterEach(() => void exchanges.splice(0));

  test.each([
    ['a request', REQUEST],
    ['a CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n'],
  ])('and that takes nothing of it is closed after the idle limit (%s)', async (_what, request) => {
    const client = await answering({ idleTimeout: 50 }, ({ res }) => pour(res));
    client.write(request);
    await client.until('\r\n\r\n');
    client.socket.pause();
    const [{ req }] = exchanges as [ClientExchange];
    await once(req.socket, 'close');
    client.socket.resume();
    await client.ended;
  });

  test('but comes late is not closed', async () => {
    const client = await answering({ idleTimeout: 20 }, ({ req, res }) => {
      req.socket.once('timeout', () => res.end('late'));
    });
    expect(await client.write(REQUEST).until('late')).toMatch(/^HTTP\/1\.1 200 /);
  });
});
