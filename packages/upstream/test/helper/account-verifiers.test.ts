import { encodeBasic, Secret, withToken } from '@chain407/auth';
import { describe, expect, test } from '@jest/globals';
import { helperBasicVerifier } from '../../src/helper/basic-verifier.ts';
import { helperDigestAccounts } from '../../src/helper/digest-accounts.ts';
import { accounts, runningPool } from './running-pool.ts';

const request = { method: 'GET', target: 'http://origin.test/', peerHost: '127.0.0.1' };
const command = process.execPath;
const exited = `${command}: it exited with status 7`;

describe('Basic by a helper', () => {
  test.each([
    ['alice', 'right', { kind: 'accept', principal: { name: 'alice', groups: ['staff', 'night shift'] } }],
    ['alice', 'wrong', { kind: 'reject', user: 'alice', log: 'the helper for basic says no: 1: alice' }],
    ['renamed', 'x', { kind: 'accept', principal: { name: 'CORP\\renamed 1', groups: [] } }],
    ['CORP\\jörg "j" 100%', 'x y', { kind: 'reject', log: 'the helper for basic says no: 1: CORP\\jörg "j" 100%' }],
    ['alice', '', { kind: 'reject', user: 'alice', log: 'an empty password' }],
    ['', 'right', { kind: 'reject', user: '', log: 'an empty user name' }],
    ['broken', 'x', { kind: 'unavailable', log: 'the helper for basic cannot tell: no directory' }],
    ['odd', 'x', { kind: 'unavailable' }],
    ['lost', 'x', { kind: 'unavailable', log: exited }],
  ])('%j with %j', async (username, password, turn) => {
    await using running = runningPool({ argv: accounts() });
    const verifier = helperBasicVerifier('r', running.pool);
    const judged = await verifier.judge(encodeBasic(username, new Secret(password)), request, undefined);
    expect(judged).toMatchObject(turn);
  });

  test('offers what Basic offers, and sends nothing on that is no Basic', async () => {
    await using running = runningPool({ argv: accounts() });
    const verifier = helperBasicVerifier('r', running.pool);
    expect(verifier.offer().map(({ params }) => [...params])).toEqual([
      [
        ['realm', 'r'],
        ['charset', 'UTF-8'],
      ],
    ]);
    const feed = Buffer.from('alice:right\nbob:x').toString('base64');
    for (const token of [feed, '!', '']) {
      expect(await verifier.judge(withToken('basic', token), request, undefined)).toMatchObject({ kind: 'malformed' });
    }
    expect(running.pool.pids).toEqual([]);
  });

  test('remembers a yes for a minute, and nothing else', async () => {
    await using running = runningPool({ argv: accounts() });
    let now = 0;
    const verifier = helperBasicVerifier('r', running.pool, () => now);
    const judge = (name: string) => verifier.judge(encodeBasic(name, new Secret('x')), request, undefined);
    expect(await judge('renamed')).toMatchObject({ principal: { name: 'CORP\\renamed 1' } });
    // At once, without a promise.
    expect(judge('renamed')).toMatchObject({ principal: { name: 'CORP\\renamed 1' } });
    expect(await judge('eve')).toMatchObject({ log: 'the helper for basic says no: 2: eve' });
    expect(await judge('eve')).toMatchObject({ log: 'the helper for basic says no: 3: eve' });
    now = 60_001;
    expect(await judge('renamed')).toMatchObject({ principal: { name: 'CORP\\renamed 4' } });
  });

  test('asks once where the same is asked many times at once', async () => {
    await using running = runningPool({ argv: accounts(), children: 5 });
    const verifier = helperBasicVerifier('r', running.pool);
    const judge = () => verifier.judge(encodeBasic('renamed', new Secret('x')), request, undefined);
    const turns = await Promise.all(Array.from({ length: 10 }, judge));
    expect(turns).toEqual(Array(10).fill({ kind: 'accept', principal: { name: 'CORP\\renamed 1', groups: [] } }));
    expect(running.pool.pids).toHaveLength(1);
  });
});

describe('the accounts of Digest by a helper', () => {
  const ha1 = (number: number): string => `${number}`.padStart(32, 'a');

  test.each([
    ['alice', { name: 'alice', groups: ['staff', 'night shift'], ha1: ha1(1) }],
    ['renamed', { name: 'CORP\\renamed 1', groups: [], ha1: ha1(1) }],
    ['eve', undefined],
    ['jörg', undefined],
    ['alice":"x', undefined],
    ['broken', { unavailable: 'the helper for digest cannot tell: no directory' }],
    ['odd', { unavailable: 'the helper for digest cannot tell: it said OK without an ha1 of MD5' }],
    ['lost', { unavailable: exited }],
  ])('%j', async (username, expected) => {
    await using running = runningPool({ argv: accounts() });
    const found = await helperDigestAccounts({ pool: running.pool, realm: 'r' })(username);
    const told = found !== undefined && 'ha1' in found ? { ...found.principal, ha1: found.ha1.reveal() } : found;
    expect(told).toEqual(expected);
  });

  test('are remembered for a minute, and those that are not there never', async () => {
    await using running = runningPool({ argv: accounts() });
    let now = 0;
    const find = helperDigestAccounts({ pool: running.pool, realm: 'r', now: () => now });
    const number = async (username: string) => {
      const found = await find(username);
      return found !== undefined && 'ha1' in found ? found.ha1.reveal() : found;
    };
    expect(await number('alice')).toBe(ha1(1));
    expect(find('alice')).toMatchObject({ principal: { name: 'alice' } });
    expect(await number('eve')).toBeUndefined();
    expect(await number('eve')).toBeUndefined();
    now = 60_001;
    expect(await number('alice')).toBe(ha1(4));
  });
});
