import { get } from 'node:http';
import type { Chain, ChainConfig, ChainOptions, EchoedRequest } from '@chain407/testkit';
import { RawConnection, scriptedUpstream, startChain } from '@chain407/testkit';
import { afterEach, describe, expect, test } from '@jest/globals';
import '@chain407/testkit/jest';

const open: { close(): Promise<void> }[] = [];

/** What a failed test leaves open would keep the process alive. */
function closedLater<T extends { close(): Promise<void> }>(opened: T): T {
  open.push(opened);
  return opened;
}

async function start(config?: ChainConfig, options?: ChainOptions): Promise<Chain> {
  return closedLater(await startChain(config, options));
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((opened) => opened.close()));
});

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

function fetchThrough(chain: Chain, url = 'http://origin.test/'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    get(url, { agent: chain.agent() }, (res) => {
      let body = '';
      res.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      res.on('end', () => resolve({ status: res.statusCode, body }));
    }).on('error', reject);
  });
}

describe('a chain without configuration', () => {
  test('substitutes alice for a client that knows nothing, and shows each leg', async () => {
    const chain = await start();
    const { status, body } = await fetchThrough(chain);
    expect(status).toBe(200);
    expect((JSON.parse(body) as EchoedRequest).target).toBe('/');
    expect(chain).toHaveNegotiated(['407 Basic', '200']);
  });

  test('tunnels to the origin by CONNECT', async () => {
    const chain = await start();
    const client = await RawConnection.connect(chain.downstream.port);
    client.write('CONNECT origin.test:80 HTTP/1.1\r\nHost: origin.test:80\r\n\r\n');
    expect((await client.readResponse({ method: 'CONNECT' })).status).toBe(200);
    client.write('GET /in HTTP/1.1\r\nHost: origin.test\r\n\r\n');
    expect((JSON.parse((await client.readResponse()).body.toString()) as EchoedRequest).target).toBe('/in');
    client.destroy();
  });

  test('logs nothing', async () => {
    const lines: string[] = [];
    const chain = await start({ log: { level: 'silent' } }, { logDestination: { write: (line) => lines.push(line) } });
    await fetchThrough(chain);
    expect(lines).toEqual([]);
  });
});

test('a log destination gets the lines, and no secret', async () => {
  const lines: string[] = [];
  const chain = await start({ log: { level: 'trace' } }, { logDestination: { write: (line) => lines.push(line) } });
  await fetchThrough(chain);
  await chain.close();
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.join('')).not.toMatch(/YWxpY2U6c2VjcmV0|alice:secret/);
});

test('an identity of relay sends nothing of its own', async () => {
  const chain = await start({ downstream: { identity: 'relay' } });
  expect((await fetchThrough(chain)).status).toBe(407);
  expect(chain).toHaveNegotiated(['407 Basic']);
});

test('two chains of one process do not see the legs of each other', async () => {
  const [one, other] = await Promise.all([start(), start({ upstream: { auth: { anonymous: true } } })]);
  await Promise.all([fetchThrough(one), fetchThrough(other)]);
  expect(one).toHaveNegotiated(['407 Basic', '200']);
  expect(other).toHaveNegotiated(['200']);
});

test('cleared legs are forgotten', async () => {
  const chain = await start();
  await fetchThrough(chain);
  chain.clearLegs();
  expect(chain).toHaveNegotiated([]);
  await fetchThrough(chain);
  expect(chain).toHaveNegotiated(['200']);
});

test('an upstream of the test takes the place of the own one, with the same credentials', async () => {
  const scripted = closedLater(await scriptedUpstream());
  const chain = await start({ downstream: { upstreams: { scripted: { url: scripted.url } } } });
  expect((await fetchThrough(chain)).status).toBe(200);
  expect(scripted.requests.map(({ credentials }) => credentials)).toEqual([undefined, 'Basic YWxpY2U6c2VjcmV0']);
});

test('a configuration that cannot be taken is refused with every problem and its path', async () => {
  const config = {
    log: { level: 'loud' },
    upstream: { relm: 'x', users: 7 },
    downstream: { identity: 'subsitute', limits: { drain: 'soon' } },
  };
  const refusal = await startChain(config).then(String, String);
  for (const path of ['log.level', 'upstream.relm', 'upstream.users', 'downstream.identity', 'downstream.limits.drain'])
    expect(refusal).toContain(`${path}: `);
});

test('after close nothing listens', async () => {
  const chain = await startChain();
  const ports = [chain.downstream.port, chain.upstream.port, chain.origin.port];
  await chain[Symbol.asyncDispose]();
  for (const port of ports) await expect(RawConnection.connect(port)).rejects.toThrow('ECONNREFUSED');
});
