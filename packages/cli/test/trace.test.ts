import type { Chain } from '@chain407/testkit';
import { scriptedUpstream, startChain } from '@chain407/testkit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { chain407 } from './command.ts';
import { freePort } from './interop/free-port.ts';

const PASSWORD = 'open:sesame';
let chain: Chain;

beforeAll(async () => {
  chain = await startChain({
    upstream: {
      users: [
        { name: 'alice', password: { value: PASSWORD }, groups: ['staff'] },
        { name: 'bob', password: { value: 'builder-of-bridges' } },
      ],
      access: [{ allow: { groups: ['staff'] } }],
      ports: { connect: [80, 443] },
    },
    downstream: { credentials: { corp: { username: 'alice', password: { value: PASSWORD }, schemes: ['basic'] } } },
  });
});

afterAll(() => chain.close());

interface Report {
  readonly legs: readonly {
    readonly status?: number;
    readonly method: string;
    readonly to: string;
    readonly credentials?: unknown;
  }[];
  readonly verdict: {
    readonly ok: boolean;
    readonly status?: number;
    readonly hop: string;
    readonly cause: string;
    readonly remedy: string;
  };
}

async function report(
  args: readonly string[],
): Promise<Report & { readonly exit: number | null; readonly raw: string }> {
  const { status, stdout, stderr } = await chain407(['trace', '--json', ...args]);
  expect(stderr).toBe('');
  return { ...(JSON.parse(stdout) as Report), exit: status, raw: stdout };
}

describe('chain407 trace', () => {
  test('through the downstream: one leg, and it works', async () => {
    const { legs, verdict, exit } = await report(['-x', chain.url, 'http://origin.test/']);
    expect(legs.map(({ status }) => status)).toEqual([200]);
    expect(verdict).toMatchObject({ ok: true, status: 200, hop: 'the origin' });
    expect(exit).toBe(0);
  });

  test('at the upstream with the right password: the question, the answer, the end', async () => {
    const { legs, exit, raw } = await report([
      '-x',
      chain.upstream.url,
      '-u',
      `alice:${PASSWORD}`,
      'http://origin.test/a//b',
    ]);
    expect(legs.map(({ status }) => status)).toEqual([407, 200]);
    expect(legs[1]?.credentials).toEqual({ scheme: 'Basic', fields: { username: 'alice', password: '[secret]' } });
    expect(raw).not.toContain(PASSWORD);
    expect(raw).not.toContain(Buffer.from(`alice:${PASSWORD}`).toString('base64'));
    expect(exit).toBe(0);
  });

  test.each([
    ['no credentials', [], [407], 'credentials missing', 'Give credentials with -u'],
    [
      'a wrong password',
      ['-u', 'alice:wrong-horse'],
      [407, 407],
      'credentials not recognised',
      'Correct the user name or the password',
    ],
    [
      'an account that is not permitted',
      ['-u', 'bob:builder-of-bridges'],
      [407, 403],
      'not permitted',
      'See the cause',
    ],
  ])('with %s: the hop that refused, the cause and the remedy', async (_what, credentials, statuses, cause, remedy) => {
    const { legs, verdict, exit } = await report(['-x', chain.upstream.url, ...credentials, 'http://origin.test/']);
    expect(legs.map(({ status }) => status)).toEqual(statuses);
    expect(verdict.hop).toContain('chain407-upstream');
    expect(verdict.cause).toContain(cause);
    expect(verdict.remedy).toContain(remedy);
    expect(exit).toBe(1);
  });

  test('--connect goes through a tunnel, and shows what the origin says inside', async () => {
    const { legs, exit } = await report(['-x', chain.url, '--connect', 'http://origin.test/']);
    expect(legs.map(({ method, status }) => [method, status])).toEqual([
      ['CONNECT', 200],
      ['GET', 200],
    ]);
    expect(exit).toBe(0);
  });

  test('a downstream whose own account is refused: the remedy is its configuration, not -u', async () => {
    const wrong = await startChain({
      upstream: { users: [{ name: 'alice', password: { value: PASSWORD } }] },
      downstream: {
        credentials: { corp: { username: 'alice', password: { value: 'wrong-horse' }, schemes: ['basic'] } },
      },
    });
    for (const flags of [[], ['--connect'], ['-u', `alice:${PASSWORD}`]]) {
      const { verdict } = await report(['-x', wrong.url, ...flags, 'http://origin.test/']);
      expect(verdict.hop).toContain('upstream, behind chain407-downstream');
      expect(verdict.remedy).toContain('Correct the account in the configuration of chain407-downstream');
    }
    await wrong.close();
  });

  test("a hostile proxy's control characters are shown, not sent to the terminal", async () => {
    const upstream = await scriptedUpstream({ advertise: ['Basic realm="\x9b31m"'], accept: () => 'reject' });
    const { stdout } = await chain407(['trace', '-x', upstream.url, 'http://origin.test/']);
    expect(stdout).toContain('realm="\\x9b31m"');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect(stdout).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
    await upstream.close();
  });

  test('a port that the upstream does not open for CONNECT is told so', async () => {
    const { verdict, exit } = await report(['-x', chain.url, '--connect', 'http://origin.test:8443/']);
    expect(verdict).toMatchObject({ ok: false, status: 403 });
    expect(verdict.cause).toContain('port 8443 is not open for CONNECT');
    expect(exit).toBe(1);
  });

  test('-X sends another method', async () => {
    const { legs } = await report(['-x', chain.url, '-X', 'HEAD', 'http://origin.test/']);
    expect(legs.map(({ method, status }) => [method, status])).toEqual([['HEAD', 200]]);
  });

  test('for people: every leg with its headers, credentials masked, and the verdict', async () => {
    const { stdout } = await chain407([
      'trace',
      '-x',
      chain.upstream.url,
      '-u',
      `alice:${PASSWORD}`,
      'http://origin.test/',
    ]);
    expect(stdout).toMatch(/leg 1, connection \S+, [\d.]+ ms\n {2}> GET http:\/\/origin\.test\/\n/);
    expect(stdout).toContain('> Proxy-Authorization: [secret]');
    expect(stdout).toContain('[Basic username=alice password=[secret]]');
    expect(stdout).toContain('It works.');
  });

  test('the password is read from stdin where -u has none', async () => {
    const { status } = await chain407(['trace', '-x', chain.upstream.url, '-u', 'alice', 'http://origin.test/'], {
      input: `${PASSWORD}\n`,
    });
    expect(status).toBe(0);
  });

  test('the proxy and its account come from http_proxy where -x is missing', async () => {
    const proxy = chain.upstream.url.replace('http://', `http://alice:${encodeURIComponent(PASSWORD)}@`);
    const { status, stdout } = await chain407(['trace', 'http://origin.test/'], { env: { http_proxy: proxy } });
    expect(stdout).not.toContain('sesame');
    expect(status).toBe(0);
  });

  test('a dead proxy is a verdict, not a stack trace', async () => {
    const { status, stdout } = await chain407([
      'trace',
      '-x',
      `http://127.0.0.1:${await freePort()}`,
      'http://origin.test/',
    ]);
    expect(stdout).toContain('nothing listens at its address (ECONNREFUSED)');
    expect(status).toBe(1);
  });

  test('a proxy that offers no scheme that we speak: says which it offers', async () => {
    const upstream = await scriptedUpstream({ advertise: ['Kerberos', 'Vapid'], accept: () => 'reject' });
    const { verdict } = await report(['-x', upstream.url, '-u', 'alice:pass-word', 'http://origin.test/']);
    expect(verdict.cause).toContain('the proxy offers kerberos, vapid');
    expect(upstream.requests.map(({ credentials }) => credentials)).toEqual([undefined]);
    await upstream.close();
  });

  test.each([
    ['no proxy', ['http://origin.test/'], 'no proxy: name one with -x'],
    ['a proxy that is none', ['-x', 'ftp://alice:hunter2@x', 'http://origin.test/'], '-x: expected http://HOST:PORT'],
    ['a URL that is none', ['-x', 'http://127.0.0.1:1', 'http://'], 'URL: expected http://host/path'],
    [
      'a scheme that there is not',
      ['-x', 'http://127.0.0.1:1', '-u', 'a:b', '--scheme', 'magic', 'http://x/'],
      '--scheme: expected one of',
    ],
    ['CONNECT as a method', ['-x', 'http://127.0.0.1:1', '-X', 'CONNECT', 'http://x/'], 'use --connect'],
    ['a method that is none', ['-x', 'http://127.0.0.1:1', '-X', 'GE T', 'http://x/'], '-X: expected a method'],
  ])('exits with 2 for %s', async (_what, args, message) => {
    const { status, stderr } = await chain407(['trace', ...args]);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('hunter2');
    expect(status).toBe(2);
  });
});

describe('chain407 trace speaks every scheme, and shows what its tokens say', () => {
  let proxy: Chain;
  const token = 'mF_9.B5f-4.1JqM';
  beforeAll(async () => {
    proxy = await startChain({
      upstream: {
        auth: { schemes: ['ntlm', 'digest', 'bearer', 'basic'] },
        users: [
          { name: 'alice', password: { value: PASSWORD } },
          { name: 'robot', token: { value: token } },
        ],
      },
      downstream: { identity: 'none', credentials: {} },
    });
  });
  afterAll(() => proxy.close());

  test.each([
    [
      'ntlm',
      'LAB\\alice:open:sesame',
      3,
      ['AUTHENTICATE (type 3)', 'user: alice', 'target name: CHAIN407', 'MIC: present'],
    ],
    ['digest', 'alice:open:sesame', 2, ['algorithm: SHA-256', 'qop: auth', 'nc: 00000001', 'response: [secret]']],
    ['bearer', token, 2, ['token: [secret]']],
    ['basic', 'alice:open:sesame', 2, ['username: alice', 'password: [secret]']],
  ])('%s', async (scheme, user, legs, told) => {
    const args = ['-x', proxy.upstream.url, '-u', user, '--scheme', scheme, 'http://origin.test/'];
    const { status, stdout, stderr } = await chain407(['trace', ...args]);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.match(/^leg \d/gm)).toHaveLength(legs);
    for (const text of told) expect(stdout).toContain(text);
    expect(stdout).not.toContain('sesame');
    expect(stdout).not.toContain(token);
  });

  test('without --scheme the strongest that is offered', async () => {
    const { legs, exit } = await report(['-x', proxy.upstream.url, '-u', 'alice:open:sesame', 'http://origin.test/']);
    expect(exit).toBe(0);
    expect(legs.at(-1)?.credentials).toMatchObject({ scheme: 'NTLM' });
  });
});
