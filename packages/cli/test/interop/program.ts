import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn } from 'node:child_process';
import { watch } from 'node:fs';

export interface ProgramOptions {
  /** The working folder, and `HOME`: the settings of whoever runs the tests must not count. */
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Written to its standard input; without it, that is empty. */
  readonly input?: Buffer;
  /** Milliseconds. Default 30 000. */
  readonly deadline?: number;
}

export interface Outcome {
  /** `undefined`: ended by a signal, also for its deadline. */
  readonly status: number | undefined;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A program that stays up. Whoever holds it by `await using` leaves none behind, also where a test fails. */
export interface Service extends AsyncDisposable {
  /** What it wrote so far, both streams. */
  output(): string;
  /** Asks it to end (SIGTERM), waits for that, and returns its exit status. */
  stop(): Promise<number | undefined>;
}

const STOP_DEADLINE = 15_000;

function spawned(command: string, args: readonly string[], { folder, env }: ProgramOptions) {
  const own = { PATH: `${process.env.PATH}:/usr/sbin:/sbin`, HOME: folder, TMPDIR: folder, LC_ALL: 'C.UTF-8' };
  const child = spawn(command, args, { cwd: folder, env: { ...own, ...env }, stdio: 'pipe' });
  // Who does not read its input to the end is free to do so.
  child.stdin.on('error', () => undefined);
  return child;
}

/** Runs a program to its end. Rejects where it cannot be started; every exit status is an outcome. */
export function runProgram(command: string, args: readonly string[], options: ProgramOptions): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawned(command, args, options);
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (bytes: Buffer) => stdout.push(bytes));
    child.stderr.on('data', (bytes: Buffer) => stderr.push(bytes));
    child.once('error', reject);
    const timer = setTimeout(() => child.kill('SIGKILL'), options.deadline ?? 30_000);
    child.once('close', (status) => {
      clearTimeout(timer);
      resolve({
        status: status ?? undefined,
        stdout: Buffer.concat(stdout),
        stderr: Buffer.concat(stderr).toString(),
      });
    });
    child.stdin.end(options.input);
  });
}

/** Runs a program to its end and returns what it printed; throws with what it said where it fails. */
export async function printed(command: string, args: readonly string[], options: ProgramOptions): Promise<string> {
  const { status, stdout, stderr } = await runProgram(command, args, options);
  if (status === 0) return stdout.toString();
  throw new Error(`${command} ${status === undefined ? 'was ended' : `exited with ${status}`}:\n${stderr}${stdout}`);
}

/**
 * Starts a program that stays up. It is asked whether it is `ready` after all that it writes, to its output or into its
 * folder. Rejects with its output where it ends or the deadline passes first.
 */
export function startService(
  command: string,
  args: readonly string[],
  options: ProgramOptions,
  ready: (output: string) => boolean,
): Promise<Service> {
  return new Promise((resolve, reject) => {
    const watcher = watch(options.folder);
    const child = spawned(command, args, options);
    let output = '';
    let settled = false;
    const settle = (failure?: string): void => {
      settled = true;
      clearTimeout(timer);
      watcher.close();
      child.off('exit', onExit);
      if (failure === undefined) resolve(serviceOf(child, () => output));
      else reject(new Error(`${command} ${args.join(' ')}: ${failure}; it wrote:\n${output}`));
    };
    const onExit = (status: number | null): void => settle(`ended with ${status} before it was ready`);
    const look = (): void => {
      if (!settled && ready(output)) settle();
    };
    const timer = setTimeout(() => {
      settle('was not ready in time');
      child.kill('SIGKILL');
    }, options.deadline ?? 30_000);
    const take = (bytes: Buffer): void => {
      output += bytes.toString();
      look();
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.once('error', (error) => settle(error.message));
    child.once('exit', onExit);
    watcher.on('change', look);
    child.stdin.end();
  });
}

function serviceOf(child: ChildProcessWithoutNullStreams, output: () => string): Service {
  const closed = new Promise<number | undefined>((resolve) => {
    child.once('close', (status) => resolve(status ?? undefined));
  });
  const stop = async (): Promise<number | undefined> => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE);
    const status = await closed;
    clearTimeout(timer);
    return status;
  };
  return {
    output,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
}
