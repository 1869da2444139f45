import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import { RawConnection, startChain } from '../src/index.ts';

test.each([
  ['speaks SSH', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ['ends its lines with LF alone', 'HTTP/1.1 200 OK\nContent-Length: 0\n'],
  ['speaks HTTP/2', 'HTTP/2 200\r\n'],
  ['speaks TLS', '\x16\x03\x01\x02'],
])('an upstream that %s, and stays open, is 502 at once, not 504 in the end', async (_what, greeting) => {
  const odd = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', () => socket.write(greeting, 'latin1'));
  }).listen(0, '127.0.0.1');
  await once(odd, 'listening');
  const url = `http://127.0.0.1:${(odd.address() as AddressInfo).port}`;
  const chain = await startChain({
    upstream: { auth: { anonymous: true } },
    downstream: { identity: 'none', upstreams: { odd: { url } } },
  });
  const client = await RawConnection.connect(chain.downstream.port);
  const response = await client.exchange('GET http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\n\r\n');
  expect(response.status).toBe(502);
  expect(response.headers.join()).toContain('error=http_protocol_error; next-hop="odd"');
  client.destroy();
  await chain.close();
  odd.close();
});
