import { describe, expect, test } from '@jest/globals';
import { endBySignal, runningPool, runs, scripted, shell, shown } from './running-pool.ts';

const NODE = process.execPath;

describe('replies', () => {
  test('are told apart by their order where there are no channels, however they are cut', async () => {
    await using running = runningPool();
    const { pool } = running;
    const answers = await Promise.all(
      ['split OK user=j%C3%B6rg', 'say ERR no', 'split BH "é"'].map((l) => pool.ask(l)),
    );
    expect(answers.map(shown)).toEqual(['OK user=jörg', 'ERR no', 'BH "é"']);
  });

  test('are told apart by channels where they come in another order, several at a time', async () => {
    await using running = runningPool({ argv: scripted('--channels'), concurrency: 4 });
    const { pool } = running;
    const answers = await Promise.all(['hold a', 'hold b', 'hold c', 'flush'].map((line) => pool.ask(line)));
    expect(answers.map(shown)).toEqual(['OK held=a', 'OK held=b', 'OK held=c', 'OK']);
    expect(pool.pids).toHaveLength(1);
    expect(shown(await pool.ask('split OK'))).toBe('OK');
  });

  test('end with CRLF where the program writes them so', async () => {
    await using running = runningPool({ argv: shell("read -r line; printf 'OK user=a\\r\\n'; read -r line") });
    expect(shown(await running.pool.ask('x'))).toBe('OK user=a');
  });
});

describe('a process ends, and what waits gets no answer, where', () => {
  test.each([
    ['it dies', 'die 3', 'it exited with status 3; its last words: dying of 3'],
    ['it does not reply in time', 'hang', 'it did not reply within 300 ms'],
    ['it closes its output', 'mute', 'it closed its output'],
    ['it writes a line without end', `say ${'x'.repeat(140_000)}`, 'it wrote a line of more than 131072 bytes'],
  ])('%s', async (_what, line, why) => {
    await using running = runningPool(line === 'hang' ? { timeout: 300 } : {});
    const { pool } = running;
    expect(shown(await pool.ask(line))).toBe(`none: ${NODE}: ${why}`);
  });

  test('a signal ends it', async () => {
    await using running = runningPool();
    const asked = running.pool.ask('hold');
    endBySignal(running.pool.pids[0]);
    expect(shown(await asked)).toBe(`none: ${NODE}: it was ended by SIGTERM`);
  });

  test('one of the requests before had two replies: nobody could tell whose the next is', async () => {
    await using running = runningPool();
    const { pool, logged } = running;
    const answers = await Promise.all(['say OK user=a\\nOK user=b', 'say OK user=c'].map((line) => pool.ask(line)));
    expect(answers.map(shown)).toEqual(['OK user=a', 'OK user=c']);
    expect(logged).toEqual([`${NODE}: it wrote a line that is no reply to any request`]);
  });

  test('it replies on a channel that was not asked, or without one', async () => {
    for (const reply of ['99 OK', 'OK']) {
      await using running = runningPool({ argv: shell(`read -r line; echo '${reply}'; read -r line`), concurrency: 2 });
      expect(shown(await running.pool.ask('x'))).toContain('a line that is no reply to any request');
    }
  });

  test('its output is garbage: that alone is a BH, and it goes on', async () => {
    await using running = runningPool();
    expect(shown(await running.pool.ask('say what?'))).toMatch(/^BH message=a reply that begins with none/);
    expect(shown(await running.pool.ask('say OK'))).toBe('OK');
  });
});

test('every request that waits on a process that dies is answered', async () => {
  await using running = runningPool({ argv: scripted('--channels'), concurrency: 3 });
  const { pool } = running;
  const answers = await Promise.all(['hold a', 'hold b', 'die 1'].map((line) => pool.ask(line)));
  expect(new Set(answers.map(shown))).toEqual(
    new Set([`none: ${NODE}: it exited with status 1; its last words: dying of 1`]),
  );
});

test('the standard error is logged by lines, printable and bounded', async () => {
  const noise = `printf 'a\\033[31mb\\n\\n'; head -c 5000 /dev/zero | tr '\\0' x; echo; seq 200`;
  await using running = runningPool({ argv: shell(`read -r line; { ${noise}; } >&2; echo OK; read -r line`) });
  await running.pool.ask('x');
  await running.pool.close();
  const [first, second, ...others] = running.logged.map((line) => line.replace('/bin/sh: ', ''));
  expect(first).toBe('a [31mb');
  expect(second).toBe('x'.repeat(1_024));
  expect(others).toHaveLength(98);
  expect(others.at(-1)).toBe('it writes more than is shown here');
});

describe('closing', () => {
  test('lets the last replies come, and leaves no process', async () => {
    await using running = runningPool({ children: 3 });
    const { pool } = running;
    const asked = ['pid', 'pid', 'pid'].map((line) => pool.ask(line));
    const pids = [...pool.pids];
    expect(pids).toHaveLength(3);
    await pool.close();
    expect((await Promise.all(asked)).map((answer) => answer.ok)).toEqual([true, true, true]);
    expect(pids.filter(runs)).toEqual([]);
    expect(pool.pids).toEqual([]);
    expect(shown(await pool.ask('pid'))).toBe(`none: ${NODE}: it is closed`);
  });

  test('ends by a signal what does not go by itself', async () => {
    await using running = runningPool({ argv: scripted('--stubborn') });
    const { pool } = running;
    await pool.ask('say OK');
    const [pid = 0] = pool.pids;
    expect(runs(pid)).toBe(true);
    await pool.close();
    expect(runs(pid)).toBe(false);
  });

  test('waits for nobody where the program left a process behind that holds its pipes', async () => {
    await using running = runningPool({ argv: shell('sleep 5 & read -r line; echo OK $!; exit 0') });
    const answer = await running.pool.ask('x');
    await running.pool.close();
    endBySignal(answer.ok ? Number(answer.reply.text) : undefined);
    expect(running.pool.pids).toEqual([]);
  });
});
