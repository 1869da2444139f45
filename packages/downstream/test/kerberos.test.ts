import { afterEach, describe, expect, test } from '@jest/globals';
import type { KerberosAccount, KerberosOptions, LoadedKerberos } from '../src/kerberos/load.ts';
import { environmentOf, loadKerberos, serviceName } from '../src/kerberos/load.ts';
import { whyNotLoaded, withRemedy } from '../src/kerberos/remedy.ts';

const PACKAGE = new URL('./kerberos-package.mjs', import.meta.url).href;
type Loaded = Extract<LoadedKerberos, { ok: true }>;

const opened: Loaded[] = [];
afterEach(() => {
  for (const kerberos of opened.splice(0)) kerberos.close();
});

async function load(account: KerberosAccount = {}, options: KerberosOptions = {}): Promise<Loaded> {
  const loaded = await loadKerberos(account, { module: PACKAGE, ...options });
  if (!loaded.ok) throw new Error(loaded.message);
  opened.push(loaded);
  return loaded;
}

/** What the package was told with the first step, which it gives back as its token. */
async function told(kerberos: Loaded, spn = 'HTTP/proxy.test'): Promise<Record<string, unknown>> {
  const step = await kerberos.initiate(spn).step('');
  if (!step.ok) throw new Error(step.why);
  expect(step.complete).toBe(false);
  return JSON.parse(Buffer.from(step.token, 'base64').toString()) as Record<string, unknown>;
}

describe('a context', () => {
  test('is asked for by SPNEGO, with mutual authentication, and without delegation', async () => {
    expect(await told(await load({ principal: 'alice@TEST' }))).toMatchObject({
      service: serviceName('HTTP/proxy.test', process.platform),
      flags: 2,
      mechOID: 6,
      principal: 'alice@TEST',
    });
  });

  test('goes on step by step, and is over once it is complete', async () => {
    const { initiate } = await load();
    const [one, other] = [initiate('HTTP/proxy.test'), initiate('HTTP/proxy.test')];
    await Promise.all([one.step(''), other.step('')]);
    const after = Buffer.from('{"after":"go on"}').toString('base64');
    expect(await one.step('go on')).toEqual({ ok: true, token: after, complete: false });
    expect(await one.step('last')).toEqual({ ok: true, token: '', complete: true });
    expect(await one.step('more')).toEqual({ ok: false, why: 'the context is gone' });
    expect(await other.step('last')).toEqual({ ok: true, token: '', complete: true });
  });

  test('is over where a token of the proxy does not hold', async () => {
    const context = (await load()).initiate('HTTP/proxy.test');
    await context.step('');
    expect(await context.step('forged')).toEqual({ ok: false, why: 'Mutual authentication failed' });
    expect(await context.step('last')).toEqual({ ok: false, why: 'the context is gone' });
  });

  test('that nobody ends is forgotten, the oldest first', async () => {
    const { initiate } = await load();
    const contexts = Array.from({ length: 1025 }, () => initiate('HTTP/proxy.test'));
    for (const context of contexts) await context.step('');
    expect(await contexts[0]?.step('last')).toEqual({ ok: false, why: 'the context is gone' });
    expect(await contexts[1]?.step('last')).toMatchObject({ ok: true });
  });

  test.each([
    ['HTTP/unknown.test', /^Server HTTP\/unknown.test@TEST not found in Kerberos database: set spn /],
    ['HTTP/no-ticket.test', /^Ticket expired: renew it \(kinit\), or name a keytab$/],
  ])('with %s fails with what Kerberos says, and what helps', async (spn, why) => {
    const step = await (await load()).initiate(spn).step('');
    expect(step).toEqual({ ok: false, why: expect.stringMatching(why) });
  });
});

describe('accounts', () => {
  test('of different tickets are used at once, each in a process of its own', async () => {
    const [alice, bob, carol] = await Promise.all([
      load({ ccache: 'FILE:/tmp/alice' }),
      load({ ccache: 'DIR:/tmp/bob' }),
      load({ keytab: '/etc/carol.keytab' }),
    ]);
    const all = await Promise.all([alice, bob, carol, alice].map((kerberos) => told(kerberos)));
    expect(all.map(({ KRB5CCNAME }) => KRB5CCNAME)).toEqual([
      'FILE:/tmp/alice',
      'DIR:/tmp/bob',
      'MEMORY:chain407',
      'FILE:/tmp/alice',
    ]);
    expect(all[2]).toMatchObject({ KRB5_CLIENT_KTNAME: '/etc/carol.keytab' });
    expect(new Set(all.map(({ pid }) => pid)).size).toBe(3);
    expect(all[0]?.pid).toBe(all[3]?.pid);
  });

  test.each<[KerberosAccount, Record<string, string>]>([
    [{}, {}],
    [{ ccache: 'KCM:' }, { KRB5CCNAME: 'KCM:' }],
    [{ keytab: '/k' }, { KRB5_CLIENT_KTNAME: '/k', KRB5CCNAME: 'MEMORY:chain407' }],
    [
      { keytab: '/k', ccache: '/c' },
      { KRB5_CLIENT_KTNAME: '/k', KRB5CCNAME: '/c' },
    ],
  ])('%j are told to Kerberos by its environment', (account, environment) => {
    expect(environmentOf(account)).toEqual(environment);
  });
});

describe('a process', () => {
  test('that crashes fails what it was asked, and another one takes its place', async () => {
    const kerberos = await load();
    const before = kerberos.initiate('HTTP/proxy.test');
    await before.step('');
    const crashed = await Promise.all(
      ['HTTP/silent.test', 'HTTP/crash.test'].map((spn) => kerberos.initiate(spn).step('')),
    );
    const why = 'the process for Kerberos ended: SIGKILL';
    expect(crashed).toEqual([
      { ok: false, why },
      { ok: false, why },
    ]);
    expect(await before.step('last')).toEqual({ ok: false, why: 'the process for Kerberos has ended' });
    expect(await told(kerberos)).toMatchObject({ flags: 2 });
  });

  test('that waits for a silent KDC answers in time that there is no answer, and does other work meanwhile', async () => {
    const { initiate } = await load({}, { timeout: 1_000 });
    const silent = initiate('HTTP/silent.test').step('');
    expect(await initiate('HTTP/proxy.test').step('')).toMatchObject({ ok: true });
    expect(await silent).toEqual({
      ok: false,
      why: expect.stringMatching(/^no answer from Kerberos within 1 s: see that the KDC /),
    });
  });

  test('is not started again once it was closed, and fails what it is asked', async () => {
    const kerberos = await load();
    const waiting = kerberos.initiate('HTTP/silent.test').step('');
    kerberos.close();
    kerberos.close();
    expect(await waiting).toEqual({ ok: false, why: 'the process for Kerberos was closed' });
    expect(await kerberos.initiate('HTTP/proxy.test').step('')).toMatchObject({ ok: false });
  });
});

describe('a package that cannot be used', () => {
  const throwing = (code: string, message: string): string =>
    `data:text/javascript,${encodeURIComponent(`throw Object.assign(new Error(${JSON.stringify(message)}), { code: '${code}' })`)}`;

  test.each([
    ['is not installed', 'chain407-no-such-package', /is not installed: npm i kerberos$/],
    ['is not built', throwing('MODULE_NOT_FOUND', "Cannot find module '../build/Debug/kerberos.node'"), /npm rebuild/],
    [
      'lacks its library',
      throwing('ERR_DLOPEN_FAILED', 'Opening library libkrb5.so.3 failed\nat x'),
      /cannot be used: Opening library libkrb5.so.3 failed; is MIT Kerberos installed/,
    ],
  ])('as it %s, is named with the remedy', async (_what, module, message) => {
    expect(await loadKerberos({}, { module })).toEqual({ ok: false, message: expect.stringMatching(message) });
  });

  test('is told by the code of Node, not by words that may change', () => {
    expect(whyNotLoaded(undefined, 'anything')).toMatch(/^the optional package kerberos cannot be used: anything; /);
  });
});

/** As MIT Kerberos 1.20 says it. */
test.each([
  ["Can't find client principal bob@TEST in cache collection", /kinit/],
  ['No Kerberos credentials available (default cache: FILE:/tmp/krb5cc_0)', /kinit/],
  ['No Kerberos credentials available (default cache: MEMORY:chain407)', /klist -k/],
  ['Key table file /etc/x.keytab not found: keytab', /klist -k/],
  ['Clock skew too great', /clock of this machine/],
  ["Client 'eve@TEST' not found in Kerberos database", /principal/],
  ['Preauthentication failed', /export it anew/],
  ["Cannot contact any KDC for realm 'TEST'", /port 88/],
  ['Cannot determine realm for numeric host address', /krb5.conf/],
  ['Permission denied', /may read/],
])('%s has a remedy', (said, remedy) => {
  const why = withRemedy(`Unspecified GSS failure.  Minor code may provide more information: ${said}`);
  expect(why.startsWith(`${said}: `)).toBe(true);
  expect(why.slice(said.length)).toMatch(remedy);
});

test('what has no remedy is told as it is', () => {
  expect(withRemedy('Message stream modified')).toBe('Message stream modified');
});

test.each<[NodeJS.Platform, string]>([
  ['linux', 'HTTP@proxy.test'],
  ['darwin', 'HTTP@proxy.test'],
  ['win32', 'HTTP/proxy.test'],
])('on %s a service is named as its library wants it', (platform, name) => {
  expect(serviceName('HTTP/proxy.test', platform)).toBe(name);
});
