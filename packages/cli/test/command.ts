import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The command as people run it; `npm test` has built it. */
const BIN = fileURLToPath(new URL('../bin/chain407.cjs', import.meta.url));
/** The top of the repository. */
export const TOP = fileURLToPath(new URL('../../..', import.meta.url));

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Without the proxies of whoever runs the tests. */
function environment(extra: RunOptions['env']): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/_proxy$|^NODE_OPTIONS$/i.test(name));
  return { ...Object.fromEntries(kept), NO_COLOR: '1', ...extra };
}

function begin(args: readonly string[], { env }: RunOptions): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [BIN, ...args], { cwd: TOP, env: environment(env) });
}

async function finish(child: ChildProcessWithoutNullStreams): Promise<Finished> {
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (bytes) => {
    stdout += String(bytes);
  });
  child.stderr.on('data', (bytes) => {
    stderr += String(bytes);
  });
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stdout, stderr };
}

/** Runs a command to its end. */
export function chain407(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const child = begin(args, options);
  child.stdin.end(options.input ?? '');
  return finish(child);
}

/** A command that stays up. */
export interface Service {
  readonly ready: {
    readonly downstream?: { readonly url: string };
    readonly upstream?: { readonly url: string };
    readonly pid: number;
  };
  readonly readyFile: string;
  signal(name: NodeJS.Signals): void;
  /** How it ended; resolves when it has. */
  readonly finished: Promise<Finished>;
  /** What has come so far. */
  stdout(): string;
  stderr(): string;
  /** Resolves once stderr holds this so many times. */
  logged(pattern: RegExp, times?: number): Promise<void>;
  /** SIGTERM, and waits. */
  stop(): Promise<Finished>;
}

/** Starts `up`, `downstream` or `upstream` and waits until all accept. */
export async function service(args: readonly string[], options: RunOptions = {}): Promise<Service> {
  const folder = temporaryFolder();
  const readyFile = join(folder, 'ready.json');
  const appeared = fileIn(folder, readyFile);
  const child = begin([...args, '--ready-file', readyFile], options);
  let out = '';
  let err = '';
  child.stdout.on('data', (bytes) => {
    out += String(bytes);
  });
  child.stderr.on('data', (bytes) => {
    err += String(bytes);
  });
  const finished = finish(child);
  const early = finished.then(({ status, stderr }) => {
    throw new Error(`chain407 ${args.join(' ')} ended with ${status} before it was ready:\n${stderr}`);
  });
  await Promise.race([appeared, early]);
  early.catch(() => undefined);
  const ready = JSON.parse(readFileSync(readyFile, 'utf8')) as Service['ready'];
  return {
    ready,
    readyFile,
    finished,
    signal: (name) => void child.kill(name),
    stdout: () => out,
    stderr: () => err,
    logged: (pattern, times = 1) =>
      new Promise((resolve) => {
        const look = (): void => {
          if ((err.match(new RegExp(pattern, 'g'))?.length ?? 0) < times) return;
          child.stderr.off('data', look);
          resolve();
        };
        child.stderr.on('data', look);
        look();
      }),
    stop: () => {
      child.kill('SIGTERM');
      return finished.finally(() => rmSync(folder, { recursive: true, force: true }));
    },
  };
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'chain407-test-'));
}

function fileIn(folder: string, file: string): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(folder, () => {
      if (!existsSync(file)) return;
      watcher.close();
      resolve();
    });
  });
}
