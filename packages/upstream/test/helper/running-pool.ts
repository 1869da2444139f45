import { fileURLToPath } from 'node:url';
import type { HelperPoolOptions } from '../../src/helper/helper-pool.ts';
import { HelperPool } from '../../src/helper/helper-pool.ts';
import type { HelperAnswer } from '../../src/helper/helper-process.ts';

const script = fileURLToPath(new URL('./scripted-helper.mjs', import.meta.url));

/** How to run the program that `scripted-helper.mjs` describes. */
export function scripted(...args: string[]): [string, ...string[]] {
  return [process.execPath, script, ...args];
}

/** How to run the program that `account-helper.mjs` describes. */
export function accounts(): [string, ...string[]] {
  return [process.execPath, fileURLToPath(new URL('./account-helper.mjs', import.meta.url))];
}

/** A program in a line of the shell. */
export function shell(line: string): [string, ...string[]] {
  return ['/bin/sh', '-c', line];
}

export interface RunningPool extends AsyncDisposable {
  readonly pool: HelperPool;
  /** What it logged so far. */
  readonly logged: readonly string[];
}

/** A pool that is closed where the test ends, also where it fails. By default of one scripted process. */
export function runningPool(options: Partial<HelperPoolOptions> = {}): RunningPool {
  const logged: string[] = [];
  const pool = new HelperPool({ argv: scripted(), children: 1, log: (message) => logged.push(message), ...options });
  return { pool, logged, [Symbol.asyncDispose]: () => pool.close() };
}

/** The reply in short, or why there is none. */
export function shown(answer: HelperAnswer): string {
  if (!answer.ok) return `none: ${answer.why}`;
  const { result, notes, text } = answer.reply;
  const pairs = [...notes].map(([key, values]) => `${key}=${values.join(',')}`);
  return [result, ...pairs, text].filter((part) => part !== '').join(' ');
}

/** True while there is a process of this number. */
export function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Never 0, which would be this process and all its kin. */
export function endBySignal(pid: number | undefined): void {
  if (pid === undefined || !(pid > 0)) throw new Error('expected the number of a process');
  process.kill(pid, 'SIGTERM');
}
