import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Chain } from '../src/index.ts';
import { RawConnection, startChain } from '../src/index.ts';

/** What a tier has listened for on a client's connection, it listens for no longer when another exchange, or a tunnel, has it. */
const accepted: Socket[] = [];
const onSocket = (message: unknown): void => void accepted.push((message as { readonly socket: Socket }).socket);
let chain: Chain;

beforeEach(async () => {
  subscribe('net.server.socket', onSocket);
  chain = await startChain({ upstream: { auth: { anonymous: true } }, downstream: { identity: 'none' } });
});
afterEach(async () => {
  unsubscribe('net.server.socket', onSocket);
  accepted.length = 0;
  await chain.close();
});

const GET = 'GET http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\n\r\n';
const REFUSED = 'CONNECT origin.test:1 HTTP/1.1\r\nHost: origin.test:1\r\n\r\n';
const CONNECT = 'CONNECT origin.test:80 HTTP/1.1\r\nHost: origin.test:80\r\n\r\n';
const UPGRADE =
  'GET http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';

/** By event, what listens on the connection of a client. */
function listeners({ socket }: RawConnection): Record<string, number> {
  const mine = accepted.find(({ remotePort }) => remotePort === socket.localPort);
  if (mine === undefined) throw new Error('no tier has accepted it');
  return Object.fromEntries(mine.eventNames().map((event) => [String(event), mine.listenerCount(event)]));
}

describe.each(['downstream', 'upstream'] as const)('on a connection of the %s', (tier) => {
  const open = (): Promise<RawConnection> => RawConnection.connect(chain[tier].port);

  test.each([
    ['requests', GET, 200],
    ['refused CONNECTs', REFUSED, 403],
  ])('nothing more listens after many %s', async (_what, text, status) => {
    const client = await open();
    expect((await client.exchange(text)).status).toBe(status);
    const before = listeners(client);
    for (let i = 0; i < 20; i += 1) expect((await client.exchange(text)).status).toBe(status);
    expect(listeners(client)).toEqual(before);
    client.destroy();
  });

  test('a tunnel has the same listeners, however it came about', async () => {
    const clients = [await open(), await open(), await open()];
    const [connected, upgraded, refusedBefore] = clients as [RawConnection, RawConnection, RawConnection];
    expect((await connected.exchange(CONNECT)).status).toBe(200);
    expect((await upgraded.exchange(UPGRADE)).status).toBe(101);
    expect((await refusedBefore.exchange(REFUSED)).status).toBe(403);
    expect((await refusedBefore.exchange(CONNECT)).status).toBe(200);
    expect(listeners(upgraded)).toEqual(listeners(connected));
    expect(listeners(refusedBefore)).toEqual(listeners(connected));
    for (const client of clients) client.destroy();
  });
});
