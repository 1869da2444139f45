import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { LineReader } from './line-reader.ts';
import type { HelperReply } from './replies.ts';
import { parseReply, takeChannel } from './replies.ts';
import { MAX_LINE } from './requests.ts';
import { StderrLog } from './stderr-log.ts';

export type HelperAnswer =
  | { readonly ok: true; readonly reply: HelperReply }
  /** No answer: for the log, never for the peer. */
  | { readonly ok: false; readonly why: string };

export interface HelperProcessOptions {
  readonly argv: readonly [command: string, ...args: string[]];
  /** Where it is run. Default: where this process was. */
  readonly folder?: string;
  /** Requests at once, told apart by channel-IDs; 0: one after the other, without. */
  readonly concurrency: number;
  /** Milliseconds until a request that has no reply ends the process. */
  readonly timeout: number;
  /** What it writes to its standard error, by lines, each with the name of the program. */
  readonly log: (line: string) => void;
  /** It has replied: a place for another request is free. */
  readonly onFree: () => void;
}

interface Waiting {
  readonly settle: (answer: HelperAnswer) => void;
  readonly timer: NodeJS.Timeout;
}

/** In milliseconds: what a process may take that was asked to end, or that shows that it is about to. */
const GRACE = 1_000;

const ERRORS: ReadonlyMap<string | undefined, string> = new Map([
  ['ENOENT', 'there is no such program (ENOENT)'],
  ['EACCES', 'it may not be executed (EACCES)'],
]);

/**
 * One helper program that runs. It queues nothing: whoever asks minds {@link load}. A reply that nobody waits for, a line
 * without end and a request without a reply in time end it, because nobody could tell any more whose the next reply is.
 */
export class HelperProcess {
  /** Resolves, with the name of the program and the reason, once no request is or will be answered any more. */
  readonly ended: Promise<string>;
  /** Resolves once nothing is left of the process, or nothing can be done about it. */
  readonly gone: Promise<void>;
  readonly #options: HelperProcessOptions;
  readonly #child: ChildProcess;
  readonly #stderr: StderrLog;
  /** By channel; without channels, by a running number. A map keeps the order of the requests. */
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #answered = false;
  /** `closing`: takes no more requests, but replies may still come. `over`: nothing comes any more. */
  #phase: 'open' | 'closing' | 'over' = 'open';
  #exit: string | undefined;
  #end: (why: string) => void = () => undefined;

  /** Throws Node's error for arguments that no program can be given, as one with a NUL. */
  constructor(options: HelperProcessOptions) {
    this.#options = options;
    const [command, ...args] = options.argv;
    this.#child = spawn(command, args, { stdio: 'pipe', windowsHide: true, cwd: options.folder });
    this.#stderr = new StderrLog((line) => options.log(this.#named(line)));
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.gone = new Promise((resolve) => {
      this.#child.once('close', () => {
        this.#finish(this.#exit ?? 'it is gone');
        resolve();
      });
      this.#child.on('error', (error: NodeJS.ErrnoException) => {
        this.#finish(ERRORS.get(error.code) ?? `it cannot be run: ${error.message}`);
        // There is no process (EMFILE: nor pipes whose end would be told), or one that may not be killed.
        resolve();
      });
    });
    this.#child.once('exit', (status, signal) => {
      this.#exit = status === null ? `it was ended by ${signal}` : `it exited with status ${status}`;
      this.#phase = this.#phase === 'over' ? 'over' : 'closing';
      // Its last replies are still in the pipes, which a process that it left behind may keep open for ever.
      this.#afterGrace(() => this.#eachPipe((pipe) => pipe.destroy()));
    });
    this.#readPipes();
  }

  /** The number of the process; `undefined` where there is none. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** True while it takes requests. */
  get lives(): boolean {
    return this.#phase === 'open';
  }

  /** Requests that have no reply yet. */
  get load(): number {
    return this.#waiting.size;
  }

  /** True once it has replied to something: what ends it then is not its start. */
  get answered(): boolean {
    return this.#answered;
  }

  /** Sends a line (without its line feed) and waits for the reply. Never rejects. */
  ask(line: string): Promise<HelperAnswer> {
    if (!this.lives) return Promise.resolve({ ok: false, why: this.#named('it takes no more requests') });
    const channel = this.#freeChannel();
    return new Promise((settle) => {
      const { timeout, concurrency } = this.#options;
      const timer = setTimeout(() => this.#finish(`it did not reply within ${timeout} ms`), timeout).unref();
      this.#waiting.set(channel, { settle, timer });
      this.#child.stdin?.write(concurrency > 0 ? `${channel} ${line}\n` : `${line}\n`);
    });
  }

  /** Asks it to end by the end of its input, and makes it after a second. Resolves once it is gone. */
  close(): Promise<void> {
    if (this.#phase === 'open') this.#phase = 'closing';
    this.#child.stdin?.end();
    this.#afterGrace(() => this.#finish('it was asked to end, and did not'));
    return this.gone;
  }

  #named(why: string): string {
    return `${this.#options.argv[0]}: ${why}`;
  }

  #readPipes(): void {
    const { stdout, stderr } = this.#child;
    const lines = new LineReader(MAX_LINE, (line, whole) => {
      if (whole) this.#onLine(line);
      else this.#finish(`it wrote a line of more than ${MAX_LINE} bytes`);
    });
    stdout?.on('data', (bytes: Buffer) => {
      const before = this.load;
      lines.push(bytes);
      // Only now: of two replies to one request, the second must not be there for the next.
      if (this.lives && this.load < before) this.#options.onFree();
    });
    stdout?.once('end', () => this.#afterGrace(() => this.#finish('it closed its output')));
    stderr?.on('data', (bytes: Buffer) => this.#stderr.push(bytes));
    // That it reads no more is told by its exit.
    this.#eachPipe((pipe) => pipe.on('error', () => undefined));
  }

  #eachPipe(act: (pipe: NonNullable<ChildProcess['stdio'][number]>) => void): void {
    const { stdin, stdout, stderr } = this.#child;
    for (const pipe of [stdin, stdout, stderr]) if (pipe) act(pipe);
  }

  /** Unless it is gone by then. */
  #afterGrace(act: () => void): void {
    const timer = setTimeout(act, GRACE).unref();
    void this.gone.then(() => clearTimeout(timer));
  }

  /** The lowest one that is free, as Squid numbers them; without channels the next number. */
  #freeChannel(): number {
    if (this.#options.concurrency === 0) {
      this.#next += 1;
      return this.#next;
    }
    let channel = 0;
    while (this.#waiting.has(channel)) channel += 1;
    return channel;
  }

  #onLine(line: string): void {
    if (this.#phase === 'over') return;
    const [oldest] = this.#waiting.keys();
    const taken = this.#options.concurrency > 0 ? takeChannel(line) : { channel: oldest ?? 0, rest: line };
    const waiting = taken && this.#waiting.get(taken.channel);
    if (taken === undefined || waiting === undefined) {
      const hint = this.#options.concurrency > 0 && taken === undefined ? ' (it may know no concurrency)' : '';
      this.#finish(`it wrote a line that is no reply to any request${hint}`);
      return;
    }
    this.#waiting.delete(taken.channel);
    clearTimeout(waiting.timer);
    this.#answered = true;
    waiting.settle({ ok: true, reply: parseReply(taken.rest) });
  }

  /** Ends what is left of it; the requests that wait get no answer. */
  #finish(why: string): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#child.kill('SIGKILL');
    // A program that is setuid, as basic_pam_auth may be, cannot be killed: it goes when its input ends.
    this.#child.stdin?.destroy();
    const { last } = this.#stderr;
    const reason = this.#named(last === undefined ? why : `${why}; its last words: ${last}`);
    for (const { settle, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      settle({ ok: false, why: reason });
    }
    this.#waiting.clear();
    this.#end(reason);
  }
}
