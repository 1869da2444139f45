import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import { RawConnection } from '../src/index.ts';
import type { Asked } from './drain/hop.ts';
import { startHop } from './drain/hop.ts';
import type { Role } from './plain-tier.ts';
import { plainSection, ROLES, startTier } from './plain-tier.ts';

/** Every answer has its line in the access log, and so has a client that could not be heard; all of them before a tier has closed. */
const file = (name: string): string => fileURLToPath(new URL(`certificates/${name}`, import.meta.url));
const TLS_LISTEN = { address: '127.0.0.1:0', tls: { cert: file('proxy.pem'), key: file('proxy.key') } };
const HEAD = 'Host: origin.test\r\n\r\n';
const GET = `GET http://origin.test/ HTTP/1.1\r\n${HEAD}`;

interface Row {
  readonly what: string;
  readonly limits?: object;
  /** Of the section. */
  readonly more?: object;
  readonly sent: string;
  readonly line: object;
}

const CLIENT = '127.0.0.1';
const exchange = (status: number, refused: string, more: object = {}): object => ({
  ...{ exchange: expect.any(String), client: CLIENT, method: 'GET', target: 'http://origin.test/' },
  ...{ status, refused, msg: 'exchange', ...more },
});
const unheard = (why: string, status?: number): object => ({
  ...{ client: CLIENT, why, msg: 'request not read' },
  ...(status === undefined ? {} : { status }),
});

const ROWS: readonly Row[] = [
  {
    what: 'more fields than it may have',
    limits: { headerCount: 1 },
    sent: `GET http://origin.test/ HTTP/1.1\r\nA: b\r\n${HEAD}`,
    line: exchange(431, 'more than 1 header fields'),
  },
  {
    what: 'an expectation that nobody meets',
    sent: `GET http://origin.test/ HTTP/1.1\r\nExpect: miracles\r\n${HEAD}`,
    line: exchange(417, 'an Expect other than 100-continue'),
  },
  {
    what: 'a request that can be read in two ways',
    sent: `GET http://origin.test/ HTTP/1.1\r\nTransfer-Encoding: gzip\r\n${HEAD}`,
    line: exchange(400, 'a body whose length can be read in two ways'),
  },
  {
    what: 'a target that is none',
    sent: `GET / HTTP/1.1\r\n${HEAD}`,
    line: exchange(400, expect.stringContaining('needs the whole URL') as never, { target: '/' }),
  },
  {
    what: 'a head that is too large',
    limits: { headerSize: '1KiB' },
    sent: `GET http://origin.test/ HTTP/1.1\r\nA: ${'b'.repeat(2000)}\r\n${HEAD}`,
    line: unheard('the request head is too large', 431),
  },
  { what: 'what is no HTTP', sent: 'nonsense\r\n\r\n', line: unheard('the request is not valid HTTP/1', 400) },
  {
    what: 'a head that does not come',
    limits: { headerTimeout: '50ms' },
    sent: 'GET http://origin.test/ HTTP/1.1\r\n',
    line: unheard('the request head did not come in time', 408),
  },
  {
    what: 'no TLS where there should be some',
    more: { listen: TLS_LISTEN },
    sent: GET,
    line: unheard('HTTP without TLS: this listener has tls'),
  },
];

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (let close = opened.pop(); close !== undefined; close = opened.pop()) await close();
});

async function stage(role: Role, { limits = {}, more = {} }: Pick<Row, 'limits' | 'more'>) {
  const hop = await startHop();
  opened.push(() => hop.close());
  const tier = await startTier(role, { ...plainSection(role, hop.port, limits), ...more }, 'info');
  opened.push(() => tier.close());
  const arrive = async (): Promise<RawConnection> => {
    const client = await RawConnection.connect(tier.port);
    opened.push(() => client.destroy());
    return client;
  };
  return { hop, tier, arrive };
}

/** Its lines when it has closed, but for those about itself. */
async function linesOf(tier: Awaited<ReturnType<typeof startTier>>): Promise<Record<string, unknown>[]> {
  await tier.close();
  const lines = tier.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return lines.filter((line) => 'client' in line);
}

describe.each(ROLES)('the log of the %s', (role) => {
  test.each(ROWS)('has a line for $what', async (row) => {
    const { tier, arrive } = await stage(role, row);
    const client = await arrive();
    client.write(row.sent);
    await client.closed();
    client.destroy();
    expect(await linesOf(tier)).toEqual([expect.objectContaining(row.line)]);
  });

  test('has a line for each request of a client beyond a limit', async () => {
    const { tier, arrive } = await stage(role, { limits: { connections: 1 } });
    const [first, client] = [await arrive(), await arrive()];
    expect((await client.exchange(GET)).status).toBe(503);
    first.destroy();
    expect(await linesOf(tier)).toEqual([expect.objectContaining(exchange(503, 'limits.connections'))]);
  });

  test.each([
    ['who left in the middle of an answer', 'ERR_CLIENT_GONE', (client: RawConnection) => client.destroy()],
    [
      'that the next hop left',
      /^ERR_(ORIGIN_CUT|CLOSED|MALFORMED_RESPONSE)$|^ECONNRESET$/,
      (_: unknown, hop: Asked) => hop.res.destroy(),
    ],
  ])('tells %s', async (_what, error, leave) => {
    const { hop, tier, arrive } = await stage(role, {});
    const authority = `127.0.0.1:${hop.port}`;
    const client = await arrive();
    client.write(`GET http://${authority}/ HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
    const asked = await hop.asked();
    asked.res.writeHead(200, { 'Content-Length': 8 }).write('half');
    await client.readUntil('half');
    const gone = once(asked.res, 'close');
    leave(client, asked);
    await gone;
    expect(await linesOf(tier)).toEqual([
      expect.objectContaining({ status: 200, error: expect.stringMatching(error) }),
    ]);
  });

  test('has a line for what it finishes, and for what it no longer takes, when it shuts down', async () => {
    const { hop, tier, arrive } = await stage(role, {});
    const authority = `127.0.0.1:${hop.port}`;
    const target = `http://${authority}/`;
    const [busy, late] = [await arrive(), await arrive()];
    late.write('GET http://origin.test/ HTTP/1.1\r\n');
    busy.write(`GET ${target} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
    const { res } = await hop.asked();
    const lines = linesOf(tier);
    expect((await late.exchange(HEAD)).status).toBe(503);
    res.end('done');
    expect((await busy.readResponse()).status).toBe(200);
    expect(await lines).toEqual([
      expect.objectContaining(exchange(503, 'shutting down')),
      expect.objectContaining({ client: CLIENT, method: 'GET', target, status: 200, msg: 'exchange' }),
    ]);
  });
});
