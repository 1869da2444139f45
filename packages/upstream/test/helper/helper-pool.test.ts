import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { pauseAfter } from '../../src/helper/helper-pool.ts';
import { endBySignal, runningPool, scripted, shell, shown } from './running-pool.ts';

const NODE = process.execPath;
const folder = mkdtempSync(join(tmpdir(), 'chain407-programs-'));

function program(name: string, text: string, mode: number): [string] {
  const path = join(folder, name);
  writeFileSync(path, text, { mode });
  return [path];
}

describe('starting', () => {
  test('is good where the program lives', async () => {
    await using running = runningPool();
    expect(await running.pool.start()).toEqual({ ok: true });
    expect(running.pool.pids).toHaveLength(1);
  });

  test.each([
    ['is missing', ['/none/such'] as [string], 'there is no such program (ENOENT)'],
    ['may not be executed', program('readable', '#!/bin/sh\n', 0o644), 'it may not be executed (EACCES)'],
    ['cannot be called', ['/bin/sh', 'a\0b'] as [string, string], /null bytes/],
    ['dies', shell('echo no keytab >&2; exit 3'), 'it exited with status 3; its last words: no keytab'],
    ['ends by itself', shell('exit 0'), 'it exited with status 0'],
  ])('tells a program that %s by its name', async (_what, argv, why) => {
    await using running = runningPool({ argv, startTime: 20_000 });
    const { pool } = running;
    const started = await pool.start();
    const message = started.ok ? 'ok' : started.message;
    expect(message.startsWith(`${argv[0]}: `)).toBe(true);
    expect(message.slice(argv[0].length + 2)).toEqual(typeof why === 'string' ? why : expect.stringMatching(why));
    // Nobody waits while there is nothing to wait for.
    expect(shown(await pool.ask('x'))).toBe(`none: ${message}`);
  });
});

describe('processes', () => {
  test('are started as they are needed, and no more than allowed', async () => {
    await using running = runningPool({ children: 3 });
    const { pool } = running;
    expect(pool.pids).toHaveLength(0);
    await pool.ask('pid');
    await pool.ask('pid');
    expect(pool.pids).toHaveLength(1);
    const answers = await Promise.all(Array.from({ length: 30 }, () => pool.ask('pid')));
    expect(answers.every(({ ok }) => ok)).toBe(true);
    expect(pool.pids).toHaveLength(3);
  });

  test('with channels take so many requests at once, and more are started for what is beyond', async () => {
    await using running = runningPool({ argv: scripted('--channels'), concurrency: 2, children: 2 });
    const { pool } = running;
    const held = ['a', 'b'].map((name) => pool.ask(`hold ${name}`));
    expect(pool.pids).toHaveLength(1);
    const others = ['hold c', 'flush'].map((line) => pool.ask(line));
    expect(pool.pids).toHaveLength(2);
    expect((await Promise.all(others)).map(shown)).toEqual(['OK held=c', 'OK']);
    endBySignal(pool.pids[0]);
    expect((await Promise.all(held)).map((answer) => answer.ok)).toEqual([false, false]);
  });

  test('are replaced when they die after they had served', async () => {
    await using running = runningPool();
    const { pool, logged } = running;
    for (const status of [1, 2]) {
      expect(shown(await pool.ask('say OK'))).toBe('OK');
      const [died, next] = await Promise.all([pool.ask(`die ${status}`), pool.ask('say OK next')]);
      expect([died.ok, shown(next)]).toEqual([false, 'OK next']);
    }
    expect(logged.filter((line) => line.includes('it exited'))).toEqual([
      `${NODE}: it exited with status 1; its last words: dying of 1`,
      `${NODE}: it exited with status 2; its last words: dying of 2`,
    ]);
  });

  test('that never serve are started again only after a pause, and serve once they can', async () => {
    const count = join(folder, 'count');
    writeFileSync(count, '');
    // Dies twice at its start.
    const line = `echo x >> ${count}; [ $(wc -l < ${count}) -ge 3 ] || exit 9; while read -r line; do echo OK; done`;
    await using running = runningPool({ argv: shell(line) });
    const { pool, logged } = running;
    let asked = 1;
    for (let answer = await pool.ask('x'); !answer.ok; answer = await pool.ask('x')) {
      expect(shown(answer)).toBe('none: /bin/sh: it exited with status 9');
      asked += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    // Had each of those that were answered at once started a process, the third would have served.
    expect(asked).toBeGreaterThan(3);
    expect(logged).toEqual(Array(2).fill('/bin/sh: it exited with status 9'));
  });

  test.each([
    [0, 100],
    [1, 200],
    [6, 6_400],
    [7, 10_000],
    [5_000, 10_000],
  ])('wait, after %d pauses in vain, %d milliseconds', (pauses, milliseconds) => {
    expect(pauseAfter(pauses)).toBe(milliseconds);
  });
});

describe('what waits for a process', () => {
  test('is served in turn; beyond the bound there is no answer, and at once', async () => {
    await using running = runningPool({ children: 1 });
    const { pool } = running;
    const order: number[] = [];
    const flood = Array.from({ length: 150 }, async (_, i) => {
      const answer = await pool.ask('say OK');
      order.push(i);
      return shown(answer);
    });
    const answers = await Promise.all(flood);
    // One on its way, 2 × 1 + 100 behind it.
    expect(answers.filter((answer) => answer === 'OK')).toHaveLength(103);
    expect(new Set(answers.slice(103))).toEqual(new Set([`none: ${NODE}: 102 requests wait for it already`]));
    expect(order.slice(0, 47)).toEqual(Array.from({ length: 47 }, (_, i) => i + 103));
    expect(order.slice(47)).toEqual(Array.from({ length: 103 }, (_, i) => i));
  });

  test('waits no longer than a reply may take', async () => {
    await using running = runningPool({ timeout: 300, legTimeout: 20_000 });
    const { pool } = running;
    const held = await pool.reserve();
    expect(shown(await pool.ask('say OK'))).toBe(`none: ${NODE}: no process was free within 300 ms`);
    if (held.ok) held.reservation.release();
    expect((await pool.reserve()).ok).toBe(true);
  });

  test('gets no answer where the pool is closed', async () => {
    await using running = runningPool();
    const { pool } = running;
    const asked = ['hold', 'say OK'].map((line) => pool.ask(line));
    await pool.close();
    expect((await Promise.all(asked)).map(shown)).toEqual([
      `none: ${NODE}: it exited with status 0`,
      `none: ${NODE}: it is closed`,
    ]);
  });
});

describe('a reservation', () => {
  test('keeps all others away until it is released', async () => {
    await using running = runningPool();
    const { pool } = running;
    const first = await pool.reserve();
    if (!first.ok) throw new Error(first.why);
    let served = false;
    const second = pool.reserve().finally(() => {
      served = true;
    });
    expect(shown(await first.reservation.ask('say OK 1'))).toBe('OK 1');
    expect(shown(await first.reservation.ask('say OK 2'))).toBe('OK 2');
    expect(served).toBe(false);
    first.reservation.release();
    first.reservation.release();
    const reserved = await second;
    expect(reserved.ok).toBe(true);
    expect(shown(await first.reservation.ask('say OK'))).toBe('none: the handshake is over');
    if (reserved.ok) expect(shown(await reserved.reservation.ask('say OK 3'))).toBe('OK 3');
  });

  test('that is released while it owes a reply frees the process only afterwards', async () => {
    await using running = runningPool();
    const { pool } = running;
    const reserved = await pool.reserve();
    if (!reserved.ok) throw new Error(reserved.why);
    const owed = reserved.reservation.ask('say OK owed');
    reserved.reservation.release();
    const next = pool.ask('say OK next');
    expect([shown(await owed), shown(await next)]).toEqual(['OK owed', 'OK next']);
    expect(pool.pids).toHaveLength(1);
  });

  test('ends by itself where the next leg does not come', async () => {
    await using running = runningPool({ legTimeout: 100 });
    const { pool } = running;
    const reserved = await pool.reserve();
    if (!reserved.ok) throw new Error(reserved.why);
    await reserved.reservation.ask('say OK');
    expect(shown(await pool.ask('say OK next'))).toBe('OK next');
    expect(reserved.reservation.held).toBe(false);
  });

  test('of a process that dies leaves the place to another', async () => {
    await using running = runningPool();
    const { pool } = running;
    const reserved = await pool.reserve();
    if (!reserved.ok) throw new Error(reserved.why);
    await reserved.reservation.ask('say OK');
    expect((await reserved.reservation.ask('die 1')).ok).toBe(false);
    expect((await reserved.reservation.ask('say OK')).ok).toBe(false);
    expect(shown(await pool.ask('say OK next'))).toBe('OK next');
    reserved.reservation.release();
    expect(shown(await pool.ask('say OK again'))).toBe('OK again');
  });
});
