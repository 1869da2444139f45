import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { ReadSecret } from '../config/secret-source.ts';
import { MAX_SECRET_BYTES, secretOfBytes } from './secret-text.ts';

export interface CommandOptions {
  /** Milliseconds until the program is ended. */
  readonly timeout: number;
  /** Ends the program early. */
  readonly signal?: AbortSignal | undefined;
}

/** What a program says of itself is shown up to this many characters. */
const MAX_COMPLAINT = 200;

/**
 * Runs a program, without a shell, in `folder`: what it writes to stdout is the secret. A failure names the program, how
 * it ended and the first line of its stderr; never its arguments, which may hold a secret, and never its stdout.
 */
export function readCommand(
  [program, ...args]: readonly [string, ...string[]],
  folder: string,
  { timeout, signal }: CommandOptions,
): Promise<ReadSecret> {
  const failed = (why: string): ReadSecret => ({ ok: false, message: `the command ${program} ${why}` });
  return new Promise((resolve) => {
    const child = start(program, args, folder);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    const stop = (why: string): void => {
      endAll(child);
      settle(failed(why));
    };
    const timer = setTimeout(() => stop(`did not end within ${timeout / 1000} s`), timeout);
    const abort = (): void => stop('was ended, as nobody waits for it any more');
    const settle = (result: ReadSecret): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      // A grandchild that outlives it must not be waited for.
      child.stdout?.destroy();
      child.stderr?.destroy();
      resolve(result);
    };
    if (signal?.aborted === true) abort();
    signal?.addEventListener('abort', abort, { once: true });
    child.on('error', (error: NodeJS.ErrnoException) => settle(failed(whyNotStarted(error))));
    collect(child.stdout, out, () => stop(`writes more than ${MAX_SECRET_BYTES / 1024} KiB`));
    // More than that of stderr is read as well, or the program would wait for us, but not kept.
    collect(child.stderr, err, () => undefined);
    child.on('close', (code, ending) => {
      if (code !== 0) return settle(failed(`${howItEnded(code, ending)}${complaintOf(err)}`));
      const read = secretOfBytes(Buffer.concat(out));
      settle(
        read.ok ? read : { ok: false, message: `the output of the command ${program} ${read.why}${complaintOf(err)}` },
      );
    });
  });
}

function start(program: string, args: readonly string[], folder: string): ChildProcess {
  return spawn(program, args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, so that what a script has started ends with it.
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
}

function endAll(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill('SIGKILL');
    else process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** Keeps what comes up to the most that a secret has; `onExcess` at the first byte beyond. */
function collect(stream: NodeJS.ReadableStream | null, into: Buffer[], onExcess: () => void): void {
  let size = 0;
  stream?.on('error', () => undefined);
  stream?.on('data', (bytes: Buffer) => {
    const fits = size <= MAX_SECRET_BYTES;
    size += bytes.byteLength;
    if (size <= MAX_SECRET_BYTES) into.push(bytes);
    else if (fits) onExcess();
  });
}

function whyNotStarted({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'ENOENT':
      return 'cannot be started: there is no such program; give its full path, or put its folder into PATH';
    case 'EACCES':
      return 'cannot be started: it is not executable for this user';
    default:
      return `cannot be started: ${code ?? message}`;
  }
}

const howItEnded = (code: number | null, ending: NodeJS.Signals | null): string =>
  code === null ? `was ended by ${ending}` : `failed with exit status ${code}`;

/** The first line of stderr, as far as it can be shown. */
function complaintOf(err: readonly Buffer[]): string {
  const [line = ''] = Buffer.concat(err).toString('utf8').trimStart().split(/\r?\n/, 1);
  // Control characters would steer the terminal that shows this.
  const shown = line.replace(/\p{Cc}/gu, '\u{fffd}').slice(0, MAX_COMPLAINT);
  return shown === '' ? '' : `: ${shown}`;
}
