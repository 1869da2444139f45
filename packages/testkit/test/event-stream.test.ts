import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { RawConnection, startChain } from '../src/index.ts';

test('the head of an event stream reaches the client before its first event, and each event as it is sent', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const asked = once(server, 'request') as Promise<[unknown, ServerResponse]>;
  const chain = await startChain({
    upstream: { auth: { anonymous: true }, hosts: { 'events.test': `127.0.0.1:${port}` } },
    downstream: { identity: 'none' },
  });
  const client = await RawConnection.connect(chain.downstream.port);
  client.write('GET http://events.test/ HTTP/1.1\r\nHost: events.test\r\n\r\n');
  const [, res] = await asked;
  res.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders();
  expect(await client.readUntil('\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  for (const event of ['data: one\n\n', 'data: two\n\n']) {
    res.write(event);
    expect(await client.readUntil(event)).toContain(event);
  }
  res.end();
  client.destroy();
  await chain.close();
  server.close();
});
