import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Chain, EchoedRequest, RawResponse } from '../src/index.ts';
import { RawConnection, startChain } from '../src/index.ts';

/** What real clients do and tests seldom: offers in passing, bodies around the limits, pipelines. */
const PASSWORD = 'correct-horse';
let chain: Chain;
let client: RawConnection;

beforeAll(async () => {
  chain = await startChain({
    upstream: { users: [{ name: 'alice', password: { value: PASSWORD } }], ports: { connect: [80] } },
    downstream: {
      credentials: { corp: { username: 'alice', password: { value: PASSWORD }, schemes: ['basic'] } },
      limits: { replayBody: '64KiB' },
    },
  });
  client = await RawConnection.connect(chain.downstream.port);
});

afterAll(async () => {
  client.destroy();
  await chain.close();
});

const echoed = ({ body }: RawResponse): EchoedRequest => JSON.parse(body.toString()) as EchoedRequest;
const H2C = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n';

describe('an offer of h2c, as curl --http2 and Java make it', () => {
  test('without a body goes to the origin, which ignores it', async () => {
    const response = await client.exchange(`GET http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\n${H2C}\r\n`);
    expect(response.status).toBe(200);
  });

  test.each([
    ['a length', 'Content-Length: 5\r\n\r\nhello'],
    ['chunks', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'],
  ])('with a body of %s is ignored: the body arrives whole, and the connection goes on', async (_what, rest) => {
    client.write(`POST http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\n${H2C}${rest}`);
    const first = await client.readResponse({ method: 'POST' });
    expect(first.status).toBe(200);
    expect(echoed(first).bodyLength).toBe(5);
    expect(echoed(first).headers.map(([name]) => name.toLowerCase())).not.toContain('upgrade');
    const second = await client.exchange('GET http://origin.test/after HTTP/1.1\r\nHost: origin.test\r\n\r\n');
    expect(echoed(second).target).toBe('/after');
  });
});

describe('a first request with a body, before anything is known of the upstream', () => {
  test.each([
    ['nothing', 0],
    ['one byte', 1],
    ['exactly what is kept', 64 * 1024],
    ['one byte more', 64 * 1024 + 1],
    ['ten megabytes', 10 * 1024 * 1024],
  ])('of %s arrives whole, once', async (_what, length) => {
    const fresh = await startChain({
      upstream: { users: [{ name: 'alice', password: { value: PASSWORD } }] },
      downstream: {
        credentials: { corp: { username: 'alice', password: { value: PASSWORD }, schemes: ['basic'] } },
        limits: { replayBody: '64KiB' },
      },
    });
    const connection = await RawConnection.connect(fresh.downstream.port);
    connection.write(`POST http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\nContent-Length: ${length}\r\n\r\n`);
    connection.write(Buffer.alloc(length, 'x'));
    const response = await connection.readResponse({ method: 'POST' });
    expect(response.status).toBe(200);
    const posted = fresh.origin.requests.filter(({ method }) => method === 'POST');
    expect(posted.map(({ bodyLength }) => bodyLength)).toEqual([length]);
    connection.destroy();
    await fresh.close();
  });
});

test('pipelined requests are answered in their order, a refused CONNECT among them', async () => {
  const get = (path: string): string => `GET http://origin.test${path} HTTP/1.1\r\nHost: origin.test\r\n\r\n`;
  client.write(
    `${get('/1')}CONNECT origin.test:8443 HTTP/1.1\r\nHost: origin.test:8443\r\n\r\n${get('/2')}${get('/3')}`,
  );
  const first = await client.readResponse();
  const refused = await client.readResponse({ method: 'CONNECT' });
  const rest = [await client.readResponse(), await client.readResponse()];
  expect(refused.status).toBe(403);
  expect([first, ...rest].map((response) => echoed(response).target)).toEqual(['/1', '/2', '/3']);
  // None is begun before the one ahead of it has been answered: one connection is enough for all.
  expect(new Set([first, ...rest].map((response) => echoed(response).connection)).size).toBe(1);
});
