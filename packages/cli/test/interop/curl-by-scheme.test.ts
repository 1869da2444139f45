import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Origin } from '@chain407/testkit';
import { startOrigin } from '@chain407/testkit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Chain } from './chain.ts';
import { startChain407 } from './chain.ts';
import { makeFolder, remove } from './folder.ts';
import type { Kdc } from './kdc.ts';
import { startKdc } from './kdc.ts';
import { describeWith } from './peers.ts';
import { runProgram } from './program.ts';
import type { Squid, SquidOptions } from './squid.ts';
import { startSquid } from './squid.ts';
import type { Winbind } from './winbind.ts';
import { startWinbind } from './winbind.ts';

const PASSWORD = 'Wonderland-1';
const ALICE = `alice:${PASSWORD}`;
const BOB = 'bob:builder-2';
const USERS = [ALICE, BOB];
const REALM = 'Squid';
const SQUID = '/usr/lib/squid';

let origin: Origin;
let folder: string;
beforeAll(async () => {
  origin = await startOrigin();
  folder = makeFolder('curl');
});
afterAll(async () => {
  remove(folder);
  await origin.close();
});

interface Fetch {
  readonly proxyPort: number;
  /** `--proxy-ntlm` …, with the account. */
  readonly options: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** What curl ended with: the status of the origin or, where there is none, of the proxy. */
async function curl({ proxyPort, options, env = {} }: Fetch): Promise<number> {
  const proxy = ['--proxy', `http://localhost:${proxyPort}`, '--noproxy', ''];
  const print = [
    '--silent',
    '--output',
    '/dev/null',
    '--write-out',
    '%{http_code} %{http_connect}',
    '--max-time',
    '20',
  ];
  const url = `http://127.0.0.1:${origin.port}/a?b=c`;
  const { stdout } = await runProgram('curl', [...print, ...proxy, ...options, url], { folder, env });
  const [status, connect] = stdout.toString().split(' ').map(Number);
  return status === 0 ? (connect ?? 0) : (status ?? 0);
}

const WAYS = [
  { way: 'GET', more: [] },
  { way: 'POST of 3 MB', more: ['--data-binary', '@large', '--expect100-timeout', '1'] },
  { way: 'CONNECT', more: ['--proxytunnel'] },
] as const;

/** Every way of curl, with the right password and with a wrong one. */
async function everyWay(proxyPort: number, options: readonly string[], env?: Fetch['env']): Promise<void> {
  writeFileSync(join(folder, 'large'), Buffer.alloc(3_000_000, 'large '));
  for (const { way, more } of WAYS) {
    const fetch = { proxyPort, options: [...options, ...more], ...(env === undefined ? {} : { env }) };
    expect([way, await curl(fetch)]).toEqual([way, 200]);
    if (way.startsWith('POST')) expect(origin.requests.at(-1)?.bodyLength).toBe(3_000_000);
  }
}

const as = (option: string, user: string): string[] => [option, '--proxy-user', user];

const users = USERS.map((user) => {
  const [name, password] = user.split(':');
  return { name, password: { value: password } };
});

function startUpstream(auth: object, more: object = {}, env?: Readonly<Record<string, string>>): Promise<Chain> {
  const upstream = {
    listen: '127.0.0.1:0',
    realm: REALM,
    auth,
    private: 'allow',
    ports: { connect: ['1-65535'] },
    ...more,
  };
  return startChain407('upstream', { upstream }, env);
}

describeWith(['curl'], 'curl through our upstream', () => {
  test.each([
    ['--proxy-basic', ['basic']],
    ['--proxy-digest', ['digest']],
    ['--proxy-ntlm', ['ntlm']],
    ['--proxy-anyauth', ['ntlm', 'digest', 'basic']],
    ['--proxy-anyauth', ['digest', 'basic']],
  ])('%s where %j is offered', async (option, schemes) => {
    await using upstream = await startUpstream({ schemes }, { users });
    await everyWay(upstream.port, as(option, ALICE));
    for (const { more } of WAYS) {
      expect(await curl({ proxyPort: upstream.port, options: [...as(option, 'alice:wrong'), ...more] })).toBe(407);
    }
    const { output } = await upstream.stop();
    expect(output).not.toContain(PASSWORD);
  });

  test.each(['SHA-256', 'MD5'])(
    '--proxy-digest by %s, with the user name hashed, on one connection',
    async (algorithm) => {
      await using upstream = await startUpstream(
        { schemes: ['digest'], digest: { algorithms: [algorithm] } },
        { users },
      );
      const url = `http://127.0.0.1:${origin.port}/`;
      const options = [...as('--proxy-digest', ALICE), url, '--output', '/dev/null', url, '--output', '/dev/null'];
      expect(await curl({ proxyPort: upstream.port, options })).toBe(200);
    },
  );
});

describeWith(
  ['curl', 'squid', 'krb5-kdc', 'krb5-admin-server', 'krb5-user', 'winbind', 'samba-common-bin', 'libnss-wrapper'],
  'with the accounts of a domain, curl',
  () => {
    let kdc: Kdc;
    let winbind: Winbind;
    beforeAll(async () => {
      [kdc, winbind] = await Promise.all([startKdc(USERS), startWinbind(USERS)]);
    });
    afterAll(() => Promise.all([kdc.stop(), winbind.stop()]));

    describe('goes through our upstream, which asks the helpers of Squid and Samba', () => {
      test('basic_ncsa_auth', async () => {
        const { stdout } = await runProgram('htpasswd', ['-nbB', '-C', '5', 'alice', PASSWORD], { folder });
        writeFileSync(join(folder, 'htpasswd'), stdout);
        const helpers = { basic: [`${SQUID}/basic_ncsa_auth`, join(folder, 'htpasswd')] };
        await using upstream = await startUpstream({ schemes: ['basic'], helpers });
        await everyWay(upstream.port, as('--proxy-basic', ALICE));
        expect(await curl({ proxyPort: upstream.port, options: as('--proxy-basic', 'alice:wrong') })).toBe(407);
      });

      test('digest_file_auth', async () => {
        const ha1 = createHash('md5').update(`alice:${REALM}:${PASSWORD}`).digest('hex');
        writeFileSync(join(folder, 'htdigest'), `alice:${REALM}:${ha1}\n`);
        const helpers = { digest: [`${SQUID}/digest_file_auth`, '-c', join(folder, 'htdigest')] };
        await using upstream = await startUpstream({ schemes: ['digest'], helpers });
        await everyWay(upstream.port, as('--proxy-digest', ALICE));
        expect(await curl({ proxyPort: upstream.port, options: as('--proxy-digest', 'alice:wrong') })).toBe(407);
        expect(await curl({ proxyPort: upstream.port, options: as('--proxy-digest', 'nobody:x') })).toBe(407);
      });

      test('ntlm_auth', async () => {
        await using upstream = await startUpstream({ schemes: ['ntlm'], helpers: { ntlm: [winbind.helper] } });
        const account = { username: 'LAB\\alice', password: { value: PASSWORD }, schemes: ['ntlm'] };
        const url = `http://localhost:${upstream.port}`;
        await using downstream = await startChain407('downstream', {
          downstream: {
            listen: '127.0.0.1:0',
            credentials: { corp: account },
            upstreams: { ours: { url, credentials: 'corp' } },
          },
        });
        await everyWay(downstream.port, []);
        // Of curl's answers, NTLMv2 without a MIC, Samba takes these as well.
        await everyWay(upstream.port, as('--proxy-ntlm', `LAB\\${ALICE}`));
        expect(await curl({ proxyPort: upstream.port, options: as('--proxy-ntlm', 'LAB\\alice:wrong') })).toBe(407);
      });

      test('negotiate_kerberos_auth', async () => {
        const env = { KRB5_CONFIG: kdc.config };
        const helpers = { negotiate: [`${SQUID}/negotiate_kerberos_auth`, '-k', kdc.keytab, '-s', 'GSS_C_NO_NAME'] };
        await using upstream = await startUpstream({ schemes: ['negotiate'], helpers }, {}, env);
        const ticket = { ...env, KRB5CCNAME: kdc.ccacheOf('alice') };
        await everyWay(upstream.port, as('--proxy-negotiate', ':'), ticket);
        expect(await curl({ proxyPort: upstream.port, options: as('--proxy-negotiate', ':'), env })).toBe(407);
        const url = `http://localhost:${upstream.port}`;
        const account = { kerberos: { ccache: kdc.ccacheOf('bob'), mutual: true } };
        await using downstream = await startChain407(
          'downstream',
          {
            downstream: {
              listen: '127.0.0.1:0',
              credentials: { corp: account },
              upstreams: { ours: { url, credentials: 'corp' } },
            },
          },
          env,
        );
        await everyWay(downstream.port, []);
      });
    });

    describe('goes through our downstream, which relays, and Squid', () => {
      const relay = (squid: Squid): Promise<Chain> =>
        startChain407('downstream', {
          downstream: { listen: '127.0.0.1:0', identity: 'relay', upstreams: { squid: { url: squid.url } } },
        });

      test.each<readonly [string, () => SquidOptions, readonly string[], readonly string[]]>([
        ['Digest', () => ({ digestUsers: USERS }), as('--proxy-digest', ALICE), as('--proxy-digest', 'alice:wrong')],
        [
          'Digest, found by curl',
          () => ({ digestUsers: USERS }),
          as('--proxy-anyauth', ALICE),
          as('--proxy-anyauth', 'alice:wrong'),
        ],
        [
          'NTLM',
          () => ({ ntlm: winbind.helper }),
          as('--proxy-ntlm', `LAB\\${ALICE}`),
          as('--proxy-ntlm', 'LAB\\alice:wrong'),
        ],
        [
          'NTLM, found by curl',
          () => ({ ntlm: winbind.helper }),
          as('--proxy-anyauth', `LAB\\${ALICE}`),
          as('--proxy-anyauth', 'LAB\\alice:wrong'),
        ],
        ['Negotiate', () => ({ negotiate: kdc.keytab }), as('--proxy-negotiate', ':'), []],
      ])('by %s', async (_name, options, good, wrong) => {
        await using squid = await startSquid(options());
        await using downstream = await relay(squid);
        const env = { KRB5_CONFIG: kdc.config, KRB5CCNAME: kdc.ccacheOf('alice') };
        await everyWay(downstream.port, good, env);
        expect(await curl({ proxyPort: downstream.port, options: wrong, env })).toBe(407);
        const { output } = await downstream.stop();
        expect(output).not.toContain(PASSWORD);
      });

      test('users who log in by NTLM at the same time never share a connection', async () => {
        await using squid = await startSquid({ ntlm: winbind.helper });
        await using downstream = await relay(squid);
        const accounts = Array.from({ length: 12 }, (_, i) => `LAB\\${i % 2 === 0 ? ALICE : BOB}`);
        const statuses = await Promise.all(
          accounts.map((user) => curl({ proxyPort: downstream.port, options: as('--proxy-ntlm', user) })),
        );
        expect(new Set(statuses)).toEqual(new Set([200]));
        await downstream.stop();
        const byPort = new Map<number, Set<string>>();
        for (const { port, user } of await squid.stop()) {
          if (user === undefined) continue;
          byPort.set(port, (byPort.get(port) ?? new Set()).add(user));
        }
        expect(byPort.size).toBe(accounts.length);
        expect([...byPort.values()].every((names) => names.size === 1)).toBe(true);
      });
    });
  },
);
