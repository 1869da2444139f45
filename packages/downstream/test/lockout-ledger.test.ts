import { EventEmitter, once } from 'node:events';
import { Secret } from '@chain407/auth';
import type { StateChannel, StateStore } from '@chain407/core';
import { ChannelStore, MemoryStore, serveStateStore } from '@chain407/core';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LockoutGuard } from '../src/account/lockout.ts';
import { fingerprint, storeLedger } from '../src/account/lockout-ledger.ts';

const COOLDOWN = 60_000;

/** Two ends of what connects two processes: what one sends, the other hears, later. */
function channelPair(): [StateChannel, StateChannel] {
  const ends = [new EventEmitter(), new EventEmitter()] as const;
  const end = (own: EventEmitter, other: EventEmitter): StateChannel => ({
    send: (message) => setImmediate(() => other.emit('message', JSON.parse(JSON.stringify(message)))),
    on: (event, listener) => own.on(event, listener),
  });
  return [end(...ends), end(ends[1], ends[0])];
}

/** The store of a worker, and its end. */
function workerStore(primary: StateStore): { store: StateStore; die: () => Promise<void> } {
  const [here, there] = channelPair();
  const die = serveStateStore(primary, here);
  return { store: new ChannelStore(there), die };
}

function guardOver(store: StateStore, attempts: number, now: () => number = Date.now): LockoutGuard {
  const ledger = storeLedger(store, 'corp:0011', attempts, now);
  return new LockoutGuard({ attempts, cooldown: COOLDOWN, now, onChange: () => undefined, ledger });
}

/** An exchange with a wrong password: true where the attempt went out. */
async function attempt(guard: LockoutGuard): Promise<boolean> {
  const admission = await guard.admit();
  if (admission.kind === 'closed') return false;
  await new Promise((resolve) => setImmediate(resolve));
  guard.rejected('wrong');
  return true;
}

describe('guards of several processes over one store', () => {
  test.each([1, 2, 3])('let %i attempts through in all', async (attempts) => {
    const primary = new MemoryStore(Date.now);
    const guards = Array.from({ length: 4 }, () => guardOver(workerStore(primary).store, attempts));
    const tried = await Promise.all(guards.flatMap((guard) => Array.from({ length: 50 }, () => attempt(guard))));
    expect(tried.filter(Boolean)).toHaveLength(attempts);
    expect(guards.map((guard) => guard.closed()?.reason)).toEqual(Array(4).fill('wrong'));
  });

  test('a process that starts later knows what was found out', async () => {
    const store = new MemoryStore(Date.now);
    expect(await attempt(guardOver(store, 2))).toBe(true);
    const second = guardOver(store, 2);
    expect(await attempt(second)).toBe(true);
    expect(await attempt(guardOver(store, 2))).toBe(false);
  });

  test('after the cool-down one attempt is left, in whatever process', async () => {
    let now = 0;
    const store = new MemoryStore(() => now);
    const first = guardOver(store, 2, () => now);
    expect([await attempt(first), await attempt(first), await attempt(first)]).toEqual([true, true, false]);
    now = COOLDOWN;
    const guards = [first, guardOver(store, 2, () => now)];
    const tried = await Promise.all(guards.map(attempt));
    expect(tried.filter(Boolean)).toHaveLength(1);
  });

  test('what is accepted is forgotten, and closes nobody', async () => {
    const store = new MemoryStore(Date.now);
    const [first, second] = [guardOver(store, 2), guardOver(store, 2)];
    await attempt(first);
    expect(await second.admit()).toEqual({ kind: 'go' });
    second.accepted();
    expect([await attempt(first), await attempt(first)]).toEqual([true, true]);
    expect(second.state.phase).toBe('closed');
  });

  test('a good one is closed as soon as another process hears a refusal', async () => {
    const primary = new MemoryStore(Date.now);
    const [first, second] = [guardOver(workerStore(primary).store, 1), guardOver(workerStore(primary).store, 1)];
    for (const guard of [first, second]) {
      await guard.admit();
      guard.accepted();
    }
    first.rejected('changed at the proxy');
    const heard = new EventEmitter();
    const unsubscribe = primary.subscribe('lockout:corp:0011', () => setImmediate(() => heard.emit('done')));
    await once(heard, 'done');
    await new Promise((resolve) => setImmediate(resolve));
    unsubscribe();
    expect(second.closed()?.reason).toBe('changed at the proxy');
  });

  test('a worker that dies in the middle of a trial leaves it to the next', async () => {
    const primary = new MemoryStore(Date.now);
    const dying = workerStore(primary);
    const lost = guardOver(dying.store, 1);
    await lost.admit();
    const next = guardOver(workerStore(primary).store, 1).admit();
    await dying.die();
    expect(await next).toEqual({ kind: 'go' });
  });

  test('one that is reopened while it waits does not keep the trial', async () => {
    const store = new MemoryStore(Date.now);
    const guard = guardOver(store, 1);
    const waiting = guard.admit();
    guard.reopen(storeLedger(store, 'corp:0022', 1, Date.now));
    expect(await waiting).toEqual({ kind: 'go' });
    guard.inconclusive();
    expect(await guardOver(store, 1).admit()).toEqual({ kind: 'go' });
  });

  test('attempts never exceed the limit, however processes and outcomes interleave', async () => {
    const outcome = fc.constantFrom('rejected' as const, 'inconclusive' as const);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 2 }), outcome), { maxLength: 20 }),
        async (attempts, exchanges) => {
          const primary = new MemoryStore(Date.now);
          const guards = [0, 1, 2].map(() => guardOver(workerStore(primary).store, attempts));
          let rejections = 0;
          const run = async ([i, how]: readonly [number, 'rejected' | 'inconclusive']): Promise<void> => {
            const guard = guards[i] as LockoutGuard;
            if ((await guard.admit()).kind === 'closed') return;
            if (how === 'rejected') {
              rejections += 1;
              guard.rejected('wrong');
            } else guard.inconclusive();
          };
          await Promise.all(exchanges.map(run));
          expect(rejections).toBeLessThanOrEqual(attempts);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('the fingerprint of a secret', () => {
  const of = (name: string, ...texts: string[]) =>
    fingerprint(
      name,
      texts.map((text) => new Secret(text)),
    );
  test('is the same for the same secret, and short', () => {
    expect(of('corp', 'sesame')).toBe(of('corp', 'sesame'));
    expect(of('corp', 'sesame')).toMatch(/^[0-9a-f]{8}$/);
  });
  test('tells another secret, and another account', () => {
    expect(of('corp', 'sesame')).not.toBe(of('corp', 'simsim'));
    expect(of('corp', 'sesame')).not.toBe(of('other', 'sesame'));
  });
});
