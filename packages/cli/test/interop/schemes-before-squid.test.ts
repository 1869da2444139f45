import type { Origin } from '@chain407/testkit';
import { startOrigin } from '@chain407/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Chain } from './chain.ts';
import { startChain407 } from './chain.ts';
import { BODY_LENGTH, EXCHANGES, exchange } from './exchange.ts';
import type { Kdc } from './kdc.ts';
import { startKdc } from './kdc.ts';
import { describeWith } from './peers.ts';
import type { Attempt, Squid } from './squid.ts';
import { startSquid } from './squid.ts';
import type { Winbind } from './winbind.ts';
import { startWinbind } from './winbind.ts';

const PASSWORD = 'Wonderland-1';
const USERS = [`alice:${PASSWORD}`, 'bob:p\u00e4ssw\u00f6rd'];

let origin: Origin;
beforeAll(async () => {
  origin = await startOrigin();
});
afterAll(() => origin.close());

function startDownstream(squid: Squid, account: object, env: Readonly<Record<string, string>> = {}): Promise<Chain> {
  // By name: that is what a ticket is for.
  const upstreams = { squid: { url: `http://localhost:${squid.port}`, credentials: 'corp' } };
  return startChain407(
    'downstream',
    { downstream: { listen: '127.0.0.1:0', credentials: { corp: account }, upstreams } },
    env,
  );
}

/** Every kind of exchange gets through, twice; what Squid logged. */
async function allPass(squid: Squid, downstream: Chain): Promise<readonly Attempt[]> {
  const passage = { proxyPort: downstream.port, origin: `127.0.0.1:${origin.port}` };
  for (const kind of [...EXCHANGES, ...EXCHANGES]) {
    const { status, echo } = await exchange(kind, passage);
    expect({ kind, status }).toEqual({ kind, status: 200 });
    expect(echo?.bodyLength).toBe(kind === 'POST' ? BODY_LENGTH : 0);
    expect(echo?.headers.map(([name]) => name.toLowerCase())).not.toContain('proxy-authorization');
  }
  const { status, output } = await downstream.stop();
  expect(status).toBe(0);
  expect(output).not.toContain(PASSWORD);
  return squid.stop();
}

/** One attempt reaches Squid, whatever is asked and however often; the pages say why. */
async function oneAttempt(squid: Squid, downstream: Chain, legs: number): Promise<void> {
  const passage = { proxyPort: downstream.port, origin: `127.0.0.1:${origin.port}` };
  const pages = [];
  for (const kind of EXCHANGES) pages.push(await exchange(kind, passage));
  expect(pages.map(({ status }) => status)).toEqual([407, 407, 407]);
  expect(pages.map(({ page }) => page)).toEqual([
    expect.stringContaining('did not accept'),
    expect.stringContaining('held back'),
    expect.stringContaining('held back'),
  ]);
  await downstream.stop();
  expect((await squid.stop()).filter(({ credentials }) => credentials !== undefined)).toHaveLength(legs);
}

const asked = (attempts: readonly Attempt[]): number => attempts.filter(({ status }) => status === 407).length;

describeWith(['squid'], 'our downstream in front of Squid with digest_file_auth', () => {
  test('is asked once', async () => {
    await using squid = await startSquid({ digestUsers: USERS });
    await using downstream = await startDownstream(squid, { username: 'alice', password: { value: PASSWORD } });
    expect(asked(await allPass(squid, downstream))).toBe(1);
  });

  test('goes on with the nonces that Squid gives when one has been used often enough', async () => {
    await using squid = await startSquid({ digestUsers: USERS, nonceUses: 2 });
    await using downstream = await startDownstream(squid, { username: 'alice', password: { value: PASSWORD } });
    const log = await allPass(squid, downstream);
    const nonces = log.flatMap(({ credentials = '' }) => /nonce="([^"]*)"/.exec(credentials)?.[1] ?? []);
    expect(new Set(nonces).size).toBeGreaterThan(2);
    expect(asked(log)).toBeLessThan(new Set(nonces).size);
  });

  test('with a wrong password makes one attempt', async () => {
    await using squid = await startSquid({ digestUsers: USERS });
    await using downstream = await startDownstream(squid, { username: 'alice', password: { value: 'wrong' } });
    await oneAttempt(squid, downstream, 1);
  });

  test('does not take a restart of Squid, which forgets its nonces, for a rejection', async () => {
    const first = await startSquid({ digestUsers: USERS });
    await using downstream = await startDownstream(first, { username: 'alice', password: { value: PASSWORD } });
    const passage = { proxyPort: downstream.port, origin: `127.0.0.1:${origin.port}` };
    expect((await exchange('GET', passage)).status).toBe(200);
    await first.stop();
    await using again = await startSquid({ digestUsers: USERS, port: first.port });
    expect((await exchange('GET', passage)).status).toBe(200);
    expect(asked(await again.stop())).toBe(1);
  });
});

describeWith(
  ['squid', 'winbind', 'samba-common-bin', 'libnss-wrapper'],
  "our downstream in front of Squid with Samba's ntlm_auth",
  () => {
    let winbind: Winbind;
    beforeAll(async () => {
      winbind = await startWinbind(USERS);
    });
    afterAll(() => winbind.stop());

    test.each([
      ['DOMAIN\\user', { username: 'LAB\\alice', password: { value: PASSWORD } }],
      ['a domain beside the user', { username: 'alice', domain: 'LAB', password: { value: PASSWORD } }],
      ['the hash of the password', { username: 'LAB\\alice', ntHash: { value: '93f4c7fa2d6fa57fb00b502baf333796' } }],
      ['a password beyond ASCII', { username: 'LAB\\bob', password: { value: 'p\u00e4ssw\u00f6rd' } }],
    ])('by %s', async (_what, account) => {
      await using squid = await startSquid({ ntlm: winbind.helper });
      await using downstream = await startDownstream(squid, { ...account, schemes: ['ntlm'] });
      const log = await allPass(squid, downstream);
      // Asked and answered on one connection; both tunnels take theirs away, and one more logs in for what comes after each.
      expect(asked(log)).toBeLessThanOrEqual(6);
    });

    test('with a wrong password makes one attempt', async () => {
      await using squid = await startSquid({ ntlm: winbind.helper });
      const account = { username: 'LAB\\alice', password: { value: 'wrong' }, schemes: ['ntlm'] };
      await using downstream = await startDownstream(squid, account);
      await oneAttempt(squid, downstream, 2);
    });
  },
);

describeWith(
  ['squid', 'krb5-kdc', 'krb5-admin-server', 'krb5-user'],
  'our downstream in front of Squid with negotiate_kerberos_auth',
  () => {
    let kdc: Kdc;
    beforeAll(async () => {
      kdc = await startKdc(USERS);
    });
    afterAll(() => kdc.stop());

    test.each([
      ['a cache of tickets', () => ({ ccache: kdc.ccacheOf('alice') })],
      ['a keytab', () => ({ keytab: kdc.keytabOf('alice'), principal: 'alice' })],
      ['a service that is named', () => ({ ccache: kdc.ccacheOf('alice'), spn: 'HTTP/localhost' })],
    ])('with %s', async (_what, kerberos) => {
      await using squid = await startSquid({ negotiate: kdc.keytab });
      await using downstream = await startDownstream(squid, { kerberos: kerberos() }, { KRB5_CONFIG: kdc.config });
      const log = await allPass(squid, downstream);
      expect(new Set(log.flatMap(({ user }) => user ?? []))).toEqual(new Set(['alice@LAB.TEST']));
      // The first token is the whole proof: a connection more costs no question.
      expect(asked(log)).toBe(1);
    });

    test.each([
      ['a service that nobody knows', () => ({ ccache: kdc.ccacheOf('alice'), spn: 'HTTP/nowhere.test' }), /spn|SPN/],
      ['no ticket', () => ({ ccache: '/nonexistent/cache' }), /kinit/],
    ])('with %s nothing is sent, and the page says what to do', async (_what, kerberos, remedy) => {
      await using squid = await startSquid({ negotiate: kdc.keytab });
      await using downstream = await startDownstream(squid, { kerberos: kerberos() }, { KRB5_CONFIG: kdc.config });
      const { status, page } = await exchange('GET', {
        proxyPort: downstream.port,
        origin: `127.0.0.1:${origin.port}`,
      });
      expect(status).toBe(407);
      expect(page).toMatch(remedy);
      await downstream.stop();
      expect((await squid.stop()).filter(({ credentials }) => credentials !== undefined)).toEqual([]);
    });
  },
);
