import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Chain } from '../src/index.ts';
import { RawConnection, startChain } from '../src/index.ts';

/** Connections that are logged in before anybody asks: CONNECT behind NTLM costs one round trip in place of three. */
const CONNECT = 'CONNECT origin.test:80 HTTP/1.1\r\nHost: origin.test:80\r\n\r\n';
let chain: Chain;
const tunnels: RawConnection[] = [];

afterEach(async () => {
  for (const tunnel of tunnels.splice(0)) tunnel.destroy();
  await chain.close();
});

const start = async (scheme: string, upstream: object): Promise<void> => {
  chain = await startChain({
    upstream: { auth: { schemes: [scheme] } },
    downstream: { upstreams: { corp: upstream } },
  });
};

async function client(): Promise<RawConnection> {
  const connection = await RawConnection.connect(chain.downstream.port);
  tunnels.push(connection);
  return connection;
}

const tunnel = async (): Promise<number> => (await (await client()).exchange(CONNECT)).status;

/** Until the upstream has so many connections; the test's own time limit ends it. */
async function connections(count: number): Promise<void> {
  while (chain.upstream.connections !== count) await setImmediate();
}

/** Until so many have been logged in since the last look. */
async function ready(count: number): Promise<void> {
  const made = (): number =>
    chain.legs().filter(({ exchange, status }) => exchange === 'spare' && status === 200).length;
  while (made() < count) await setImmediate();
  // The answer goes on to its end.
  await setImmediate();
}

/** What the downstream sent for clients since the last look. */
function legs(): string[] {
  const sent = chain.legs().filter(({ from, exchange }) => from === 'downstream' && exchange !== 'spare');
  chain.clearLegs();
  return sent.map(({ method, credentials, status }) => `${method} ${credentials?.scheme ?? 'without'} ${status}`);
}

describe('with ntlm', () => {
  test('the first tunnel makes the handshake, those after it find it made, and what they take is made anew', async () => {
    await start('ntlm', { spare: 2 });
    expect(await tunnel()).toBe(200);
    expect(legs()).toEqual(['CONNECT without 407', 'CONNECT NTLM 407', 'CONNECT NTLM 200']);
    await ready(2);
    for (let i = 0; i < 2; i += 1) {
      chain.clearLegs();
      expect(await tunnel()).toBe(200);
      await ready(1);
      expect(legs()).toEqual(['CONNECT without 200']);
    }
    expect(chain.upstream.connections).toBe(5);
  });

  test('those that are taken while others are made are made anew, too', async () => {
    await start('ntlm', { spare: 2 });
    await tunnel();
    await ready(2);
    for (let i = 0; i < 5; i += 1) {
      chain.clearLegs();
      // Behind one another, without a pause: the second takes one while the first's successor logs in.
      const clients = [await client(), await client()];
      for (const each of clients) expect((await each.exchange(CONNECT)).status).toBe(200);
      await ready(2);
      expect(legs()).toEqual(['CONNECT without 200', 'CONNECT without 200']);
    }
  });

  test('there are never more than asked for, however many tunnels are made at once', async () => {
    await start('ntlm', { spare: 3 });
    await tunnel();
    await Promise.all(Array.from({ length: 10 }, () => tunnel()));
    await connections(14);
    await tunnel();
    await connections(15);
  });

  test('nobody is logged in where none are wanted', async () => {
    await start('ntlm', { spare: 0 });
    await tunnel();
    await tunnel();
    expect(legs()).toHaveLength(5);
    expect(chain.upstream.connections).toBe(2);
  });

  test('they end as idle connections do, when nobody takes them', async () => {
    await start('ntlm', { spare: 2, idleTimeout: '100ms' });
    await tunnel();
    await connections(3);
    await connections(1);
    expect(await tunnel()).toBe(200);
  });
});

test('schemes that log no connection in need none', async () => {
  await start('basic', { spare: 2 });
  await tunnel();
  await tunnel();
  expect(legs()).toEqual(['CONNECT without 407', 'CONNECT Basic 200', 'CONNECT Basic 200']);
  expect(chain.upstream.connections).toBe(2);
});
