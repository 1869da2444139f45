import type { LookupAddress } from 'node:dns';
import { describe, expect, test } from '@jest/globals';
import { checkLiteral, guardedLookup, PROHIBITED, prohibited } from '../src/origin/address-guard.ts';

describe('an address of the inside', () => {
  test.each([
    ['127.0.0.1', 'loopback'],
    ['127.255.255.255', 'loopback'],
    ['::1', 'loopback'],
    ['0.0.0.0', 'unspecified'],
    ['::', 'unspecified'],
    ['10.0.0.0', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['fd12:3456::1', 'private'],
    ['169.254.1.1', 'link-local'],
    ['fe80::1', 'link-local'],
    ['100.64.0.1', 'carrier-grade NAT'],
    ['224.0.0.1', 'multicast'],
    ['255.255.255.255', 'broadcast'],
    ['240.0.0.1', 'reserved'],
    ['192.0.2.1', 'reserved'],
    ['2001:db8::1', 'reserved'],
    ['169.254.169.254', 'metadata'],
    ['fd00:ec2::254', 'metadata'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['64:ff9b::7f00:1', 'loopback'],
    ['64:ff9b::a9fe:a9fe', 'metadata'],
    ['2002:7f00:1::', 'loopback'],
    ['2002:a00:1::1', 'private'],
    // Teredo carries the client's address inverted: 127.0.0.1.
    ['2001:0:1:2:3:4:80ff:fffe', 'loopback'],
  ])('%s is %s', (address, reason) => expect(prohibited(address)).toBe(reason));

  test.each([
    '1.1.1.1',
    '9.255.255.255',
    '11.0.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '2606:4700::1',
    '64:ff9b::101:101',
  ])('%s is none', (address) => expect(prohibited(address)).toBeUndefined());
});

describe('the guard on a dial', () => {
  const resolver = (addresses: readonly string[]) =>
    guardedLookup('deny', (_host, _options, done) =>
      done(
        null,
        addresses.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 })),
      ),
    );
  const ask = (addresses: readonly string[], all: boolean): Promise<unknown> =>
    new Promise((resolve) => {
      resolver(addresses)('site.test', { all }, (error, found) => resolve(error === null ? found : error.code));
    });

  test('gives only addresses that may be dialled, in both forms that Node asks for', async () => {
    expect(await ask(['10.0.0.1', '1.1.1.1', '::1'], true)).toEqual([{ address: '1.1.1.1', family: 4 }]);
    expect(await ask(['10.0.0.1', '1.1.1.1'], false)).toBe('1.1.1.1');
  });

  test('fails where none is left', async () => {
    expect(await ask(['10.0.0.1', '::1'], true)).toBe(PROHIBITED);
    expect(await ask(['10.0.0.1'], false)).toBe(PROHIBITED);
  });

  // The system resolver takes these for 127.0.0.1; Node looks them up, since they are no addresses to it.
  test.each(['127.1', '0x7f.1', '2130706433', '0177.0.0.1'])('sees through %s', async (host) => {
    const literal = checkLiteral(host, 'deny')?.code;
    const looked = await new Promise((resolve) => {
      guardedLookup('deny')(host, { all: true }, (error) => resolve(error?.code));
    });
    expect([literal, looked]).toContain(PROHIBITED);
  });

  test('checks literals, and lets all pass where the policy allows them', () => {
    expect(checkLiteral('127.0.0.1', 'deny')?.code).toBe(PROHIBITED);
    expect(checkLiteral('127.0.0.1', 'allow')).toBeUndefined();
    expect(checkLiteral('site.test', 'deny')).toBeUndefined();
  });
});
