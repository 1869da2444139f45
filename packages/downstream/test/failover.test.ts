import { expect, test } from '@jest/globals';
import { Failover } from '../src/failover.ts';
import { HopError } from '../src/hop/hop-error.ts';
import type { Upstream } from '../src/upstream.ts';
import { OPTIONS } from './raw-server.ts';

const upstream = (name: string): Upstream => ({
  name,
  connection: { ...OPTIONS, port: 1 },
  idleTimeout: 1000,
  spare: 0,
  credential: undefined,
});
const [A, B, C] = ['a', 'b', 'c'].map(upstream) as [Upstream, Upstream, Upstream];
const HALF_A_MINUTE = 30_000;

test.each<[what: string, events: (failover: Failover, clock: { now: number }) => void, order: string]>([
  ['nothing has failed', () => undefined, 'abc'],
  ['the first has failed', (failover) => failover.failed(A), 'bca'],
  ['the second has failed', (failover) => failover.failed(B), 'acb'],
  [
    'two have failed',
    (failover) => {
      failover.failed(B);
      failover.failed(A);
    },
    'cab',
  ],
  ['all have failed', (failover) => [C, A, B].forEach((each) => void failover.failed(each)), 'abc'],
  [
    'one has failed and was reached again',
    (failover) => {
      failover.failed(A);
      failover.reached(A);
    },
    'abc',
  ],
  [
    'one has failed almost half a minute ago',
    (failover, clock) => {
      failover.failed(A);
      clock.now += HALF_A_MINUTE - 1;
    },
    'bca',
  ],
  [
    'one has failed half a minute ago',
    (failover, clock) => {
      failover.failed(A);
      clock.now += HALF_A_MINUTE;
    },
    'abc',
  ],
])('the order of the upstreams when %s', (_what, events, order) => {
  const clock = { now: 1 };
  const failover = new Failover(() => clock.now);
  events(failover, clock);
  expect(
    failover
      .order([A, B, C])
      .map(({ name }) => name)
      .join(''),
  ).toBe(order);
});

test('an upstream of several routes is down on all of them', () => {
  const failover = new Failover(() => 0);
  failover.failed(A);
  expect(failover.order([A, C])).toEqual([C, A]);
  expect(failover.order([A])).toEqual([A]);
});

test.each([
  ['connect', 'ECONNREFUSED', true],
  ['connect', 'ERR_CONNECT_TIMEOUT', true],
  ['exchange', 'ECONNRESET', false],
  // No file is left to this process, for whatever hop.
  ['connect', 'EMFILE', false],
  ['connect', 'ENFILE', false],
] as const)('of a hop at which %s failed by %s another one may take the place: %s', (phase, code, unreachable) => {
  expect(new HopError(phase, code, 'of the test', true).unreachable).toBe(unreachable);
});
