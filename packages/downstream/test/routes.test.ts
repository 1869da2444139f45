import { expect, test } from '@jest/globals';
import type { Route } from '../src/routes.ts';
import { pickRoute } from '../src/routes.ts';

const route = (matches: Route['matches']): Route => ({ matches, via: { kind: 'deny' }, identity: 'none' });
const SECURE = route((host, port) => host === 'a.test' && port === 443);
const A = route((host) => host === 'a.test');
const REST = route(() => true);

test.each<[string, number, Route]>([
  ['a.test', 443, SECURE],
  ['a.test', 80, A],
  ['b.test', 443, REST],
])('the first route that matches is taken: %s:%i', (host, port, expected) => {
  expect(pickRoute([SECURE, A, REST], host, port)).toBe(expected);
});

test('routes that leave a destination out are a fault of the program', () => {
  expect(() => pickRoute([A], 'b.test', 80)).toThrow(TypeError);
});
