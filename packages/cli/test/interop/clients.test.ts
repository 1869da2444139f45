import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ALICE, accountOf, BOB, SECRETS, WRONG } from './accounts.ts';
import type { Chain } from './chain.ts';
import { startChain407 } from './chain.ts';
import { CLIENTS, runClient } from './clients.ts';
import { freePort } from './free-port.ts';
import { describeWith } from './peers.ts';
import { runProgram } from './program.ts';
import type { Site } from './site.ts';
import { MARK, SECURE_NAME, startSite } from './site.ts';

let site: Site;
beforeAll(async () => {
  site = await startSite();
});
afterAll(() => site.close());

/** The whole chain; our own account is alice's, the clients' is bob's. */
async function startChain(identity: string): Promise<Chain> {
  const upstreamPort = await freePort();
  const own = accountOf(ALICE);
  return startChain407('up', {
    upstream: {
      listen: `127.0.0.1:${upstreamPort}`,
      auth: { schemes: ['basic'] },
      users: [ALICE, BOB].map(accountOf).map(({ name, password }) => ({ name, password: { value: password } })),
      access: [{ allow: { users: ['alice', 'bob'] } }],
      ports: { connect: [80, 443], any: [80, 443] },
      hosts: { 'origin.test': `127.0.0.1:${site.plainPort}`, [SECURE_NAME]: `127.0.0.1:${site.securePort}` },
    },
    downstream: {
      listen: '127.0.0.1:0',
      identity,
      credentials: { corp: { username: own.name, password: { value: own.password }, schemes: ['basic'] } },
      upstreams: { ours: { url: `http://127.0.0.1:${upstreamPort}`, credentials: 'corp' } },
    },
  });
}

const WAYS = [
  ['plain HTTP', 'http://origin.test'],
  ['TLS through CONNECT', `https://${SECURE_NAME}`],
] as const;

const IDENTITIES = [
  ['credentials substituted', 'substitute', undefined],
  ["the client's own relayed", 'relay', BOB],
] as const;

describe.each(IDENTITIES)('through both tiers, %s', (_, identity, user) => {
  let chain: Chain;
  beforeAll(async () => {
    chain = await startChain(identity);
  });
  afterAll(async () => {
    const { status, output } = await chain.stop();
    expect(status).toBe(0);
    for (const secret of SECRETS) expect(output).not.toContain(secret);
  });

  for (const client of CLIENTS) {
    describeWith(client.packages, client.name, () => {
      test.each(WAYS)('%s', async (_way, url) => {
        site.arrivals();
        const errand = { site: url, proxyPort: chain.port, user, authorityFile: site.authorityFile };
        expect(await runClient(client, errand)).toContain(MARK);
        const arrivals = site.arrivals();
        expect(arrivals.length).toBeGreaterThan(0);
        for (const { headers, secure } of arrivals) {
          expect(headers['proxy-authorization']).toBeUndefined();
          expect(secure).toBe(url.startsWith('https:'));
        }
      });
    });
  }
});

describeWith(['curl'], 'curl through both tiers', () => {
  const curl = (chain: Chain, args: readonly string[], input = Buffer.alloc(0)) =>
    runProgram('curl', ['--silent', '--include', '--noproxy', '', '--proxy', chain.url, ...args], {
      folder: tmpdir(),
      input,
    });

  test.each([
    ['relay', ['--proxy-user', BOB]],
    ['relay', ['--proxy-user', BOB, '--proxy-anyauth']],
    ['substitute', []],
  ])('uploads 3 MB, identity %s, %j', async (identity, args) => {
    await using chain = await startChain(identity);
    site.arrivals();
    const body = Buffer.alloc(3_000_000, 'body ');
    const { stdout } = await curl(chain, [...args, '--data-binary', '@-', 'http://origin.test/upload'], body);
    expect(stdout.toString()).toContain(MARK);
    const uploads = site.arrivals().filter(({ method }) => method === 'POST');
    expect(uploads).toEqual([expect.objectContaining({ path: '/upload', bodyLength: body.length })]);
  });

  test.each([
    ['no credentials', [], 'missing'],
    ['wrong credentials', ['--proxy-user', WRONG], 'not recognised'],
  ])('%s of the client relayed: 407 and the page of the upstream', async (_, args, reason) => {
    await using chain = await startChain('relay');
    const plain = await curl(chain, [...args, 'http://origin.test/']);
    expect(plain.stdout.toString()).toMatch(/^HTTP\/1\.1 407 .*proxy-authenticate: basic realm="[^"]+.*\r\n\r\n./is);
    expect(plain.stdout.toString()).toContain(reason);
    const tunnel = await curl(chain, [...args, '--proxytunnel', 'http://origin.test/']);
    expect(tunnel.stdout.toString()).toMatch(/^HTTP\/1\.1 407 .*proxy-authenticate: basic realm="/is);
    expect(site.arrivals()).toEqual([]);
  });
});
