import { describe, expect, test } from '@jest/globals';
import type { LockoutState } from '../src/account/lockout.ts';
import { LockoutGuard } from '../src/account/lockout.ts';

const COOLDOWN = 1000;

/** A guard of three attempts, a clock that stands still, and what it has told. */
function guarded(attempts = 3) {
  const clock = { now: 0 };
  const told: LockoutState[] = [];
  const options = {
    attempts,
    cooldown: COOLDOWN,
    now: () => clock.now,
    onChange: (state: LockoutState) => told.push(state),
  };
  return { guard: new LockoutGuard(options), clock, told };
}

type Guarded = ReturnType<typeof guarded>;
type Step = 'admit' | 'accepted' | 'rejected' | 'inconclusive' | 'wait';

function step({ guard, clock }: Guarded, what: Step): void {
  if (what === 'wait') clock.now += COOLDOWN;
  else if (what === 'rejected') guard.rejected('up1 refused them');
  else void guard[what]();
}

const UNPROVEN = (failures = 0): LockoutState => ({ phase: 'unproven', failures });
const PROBING = (failures = 0): LockoutState => ({ phase: 'probing', failures });
const GOOD = (since = 0): LockoutState => ({ phase: 'good', since });
const CLOSED = (at = 0): LockoutState => ({ phase: 'closed', until: at + COOLDOWN, reason: 'up1 refused them' });

const FAILED: readonly Step[] = ['admit', 'rejected'];
const TO_GOOD: readonly Step[] = ['admit', 'accepted'];
const TO_CLOSED: readonly Step[] = [...FAILED, ...FAILED, ...FAILED];

/** Sixty waits of a second. */
const MINUTE: readonly Step[] = Array.from({ length: 60 }, () => 'wait');

describe('the states of the guard', () => {
  test.each<[from: string, steps: readonly Step[], event: Step, next: LockoutState]>([
    ['unproven', [], 'admit', PROBING()],
    ['unproven', [], 'accepted', UNPROVEN()],
    ['unproven', [], 'rejected', UNPROVEN()],
    ['unproven', [], 'inconclusive', UNPROVEN()],
    ['unproven after a rejection', FAILED, 'admit', PROBING(1)],
    ['probing', ['admit'], 'admit', PROBING()],
    ['probing', ['admit'], 'accepted', GOOD()],
    ['probing, with attempts left', ['admit'], 'rejected', UNPROVEN(1)],
    ['probing, at the last attempt', [...FAILED, ...FAILED, 'admit'], 'rejected', CLOSED()],
    ['probing', ['admit'], 'inconclusive', UNPROVEN()],
    ['probing after a rejection', [...FAILED, 'admit'], 'inconclusive', UNPROVEN(1)],
    ['good', TO_GOOD, 'admit', GOOD()],
    ['good, a moment ago', [...TO_GOOD, ...MINUTE.slice(1)], 'admit', GOOD()],
    ['good, a minute ago', [...TO_GOOD, ...MINUTE], 'admit', PROBING()],
    ['good, a minute ago', [...TO_GOOD, ...MINUTE], 'accepted', GOOD(60_000)],
    ['good', TO_GOOD, 'accepted', GOOD()],
    ['good', TO_GOOD, 'rejected', UNPROVEN(1)],
    ['good after two rejections', [...FAILED, ...FAILED, ...TO_GOOD], 'rejected', UNPROVEN(1)],
    ['good', TO_GOOD, 'inconclusive', GOOD()],
    ['closed', TO_CLOSED, 'admit', CLOSED()],
    ['closed', TO_CLOSED, 'accepted', CLOSED()],
    ['closed', TO_CLOSED, 'rejected', CLOSED()],
    ['closed', TO_CLOSED, 'inconclusive', CLOSED()],
    ['closed, cooled down', [...TO_CLOSED, 'wait'], 'admit', PROBING(2)],
    ['closed, cooled down, probing', [...TO_CLOSED, 'wait', 'admit'], 'rejected', CLOSED(COOLDOWN)],
    ['closed, cooled down, probing', [...TO_CLOSED, 'wait', 'admit'], 'accepted', GOOD(COOLDOWN)],
    ['closed, cooled down, probing', [...TO_CLOSED, 'wait', 'admit'], 'inconclusive', UNPROVEN(2)],
  ])('%s: %j, then %s', (_from, steps, event, next) => {
    const here = guarded();
    for (const each of steps) step(here, each);
    step(here, event);
    expect(here.guard.state).toEqual(next);
  });

  test('with one attempt, the first rejection closes it, a good one too', () => {
    const here = guarded(1);
    for (const each of ['admit', 'accepted', 'rejected'] as const) step(here, each);
    expect(here.guard.state).toEqual(CLOSED());
  });
});

describe('while it is closed', () => {
  test('it says why, and how long still, until the last millisecond', async () => {
    const here = guarded(1);
    for (const each of FAILED) step(here, each);
    here.clock.now = 400;
    expect(here.guard.closed()).toEqual({ kind: 'closed', retryAfter: 600, reason: 'up1 refused them' });
    expect(await here.guard.admit()).toEqual({ kind: 'closed', retryAfter: 600, reason: 'up1 refused them' });
    here.clock.now = COOLDOWN;
    expect(here.guard.closed()).toBeUndefined();
    expect(await here.guard.admit()).toEqual({ kind: 'go' });
  });

  test('a rejection from before the closing does not prolong it', () => {
    const here = guarded(1);
    for (const each of FAILED) step(here, each);
    here.clock.now = 400;
    here.guard.rejected('late');
    expect(here.guard.state).toEqual(CLOSED());
  });
});

describe('two hundred at once', () => {
  /** All ask; the guard is left with one that goes and the others waiting. */
  async function crowd(attempts: number) {
    const here = guarded(attempts);
    const settled: string[] = [];
    const all = Array.from({ length: 200 }, () =>
      Promise.resolve(here.guard.admit()).then(({ kind }) => {
        settled.push(kind);
        return kind;
      }),
    );
    await all[0];
    return { ...here, settled, all };
  }

  test('one goes, the others wait for it', async () => {
    const { settled } = await crowd(1);
    expect(settled).toEqual(['go']);
  });

  test('its acceptance lets all of them go', async () => {
    const { guard, all } = await crowd(1);
    guard.accepted();
    expect(new Set(await Promise.all(all))).toEqual(new Set(['go']));
  });

  test('its rejection is the answer for all of them, told once', async () => {
    const { guard, all, told } = await crowd(1);
    guard.rejected('up1 refused them');
    const kinds = await Promise.all(all);
    expect(kinds.filter((kind) => kind === 'go')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'closed')).toHaveLength(199);
    expect(told).toEqual([CLOSED()]);
  });

  test('with attempts left, its rejection lets one more go', async () => {
    const { guard, settled, all } = await crowd(2);
    guard.rejected('up1 refused them');
    await all[1];
    expect(settled).toEqual(['go', 'go']);
  });

  test('an outcome that says nothing lets one more go', async () => {
    const { guard, settled, all } = await crowd(1);
    guard.inconclusive();
    await all[1];
    expect(settled).toEqual(['go', 'go']);
    expect(guard.state).toEqual(PROBING());
  });
});

test('tells of every closing and of the first acceptance after it, and of nothing else', () => {
  const here = guarded(1);
  const twice: readonly Step[] = ['admit', 'accepted', 'admit', 'accepted'];
  for (const each of [...twice, ...FAILED, 'wait', ...FAILED, 'wait', ...twice] as const) step(here, each);
  expect(here.told).toEqual([CLOSED(), CLOSED(COOLDOWN), GOOD(2 * COOLDOWN)]);
});
