import { once } from 'node:events';
import type { LookupFunction } from 'node:net';
import { connect } from 'node:net';
import { expect, test } from '@jest/globals';
import { awaitsAddress, lookupName, shareLookups } from '../src/http/name-lookup.ts';

type Callback = Parameters<LookupFunction>[2];

/** Answers when it is told to. */
function resolver() {
  const calls: { readonly host: string; readonly callback: Callback }[] = [];
  const resolve: LookupFunction = (host, _options, callback) => calls.push({ host, callback });
  return { calls, resolve };
}

test('a name is looked up once for all who ask meanwhile, and anew for who asks later', () => {
  const { calls, resolve } = resolver();
  const lookup = shareLookups(resolve);
  const answers: unknown[] = [];
  const ask = (host: string): void => lookup(host, { all: true }, (_error, address) => answers.push(address));
  for (const host of ['a.test', 'a.test', 'b.test']) ask(host);
  expect(calls.map(({ host }) => host)).toEqual(['a.test', 'b.test']);
  calls[0]?.callback(null, '192.0.2.1', 4);
  expect(answers).toEqual(['192.0.2.1', '192.0.2.1']);
  ask('a.test');
  expect(calls).toHaveLength(3);
});

test('who asks in another way is not given the same', () => {
  const { calls, resolve } = resolver();
  const lookup = shareLookups(resolve);
  lookup('a.test', { all: true }, () => undefined);
  lookup('a.test', { all: false }, () => undefined);
  expect(calls).toHaveLength(2);
});

test('of silent names there is no end: beyond so many a new one fails at once', async () => {
  const { calls, resolve } = resolver();
  const lookup = shareLookups(resolve, 2);
  const ask = (host: string): Promise<unknown> =>
    new Promise((settle) => lookup(host, {}, (error, address) => settle(error?.code ?? address)));
  const known = ask('a.test');
  void ask('b.test');
  expect(await ask('c.test')).toBe('EAI_AGAIN');
  const again = ask('a.test');
  calls[0]?.callback(null, '192.0.2.1', 4);
  expect([await known, await again]).toEqual(['192.0.2.1', '192.0.2.1']);
});

test('a socket awaits the address of its name until that is known', async () => {
  const { calls, resolve } = resolver();
  const socket = connect({ host: 'a.test', port: 9, lookup: resolve });
  const awaits = awaitsAddress(socket, 'a.test');
  await Promise.resolve();
  expect(awaits()).toBe(true);
  const told = once(socket, 'lookup');
  calls[0]?.callback(null, [{ address: '127.0.0.1', family: 4 }]);
  await told;
  expect(awaits()).toBe(false);
  socket.on('error', () => undefined).destroy();
});

test('an address awaits none', () => {
  const socket = connect({ host: '127.0.0.1', port: 9 });
  expect(awaitsAddress(socket, '127.0.0.1')()).toBe(false);
  socket.on('error', () => undefined).destroy();
});

test("this machine's own name is found", async () => {
  const address = await new Promise((settle) => lookupName('localhost', {}, (_error, found) => settle(found)));
  expect(['127.0.0.1', '::1']).toContain(address);
});
