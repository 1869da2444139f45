import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Of the package, not of its compiled part: the program is the same from `src` and from `dist`. */
const PROGRAM = fileURLToPath(new URL('../../bin/gss.js', import.meta.url));

/** Without `context`: can GSS-API be used at all? With `service`: the first step of a context, which has no token. */
export type GssRequest =
  | Readonly<Record<string, never>>
  | { readonly context: number; readonly service: string; readonly principal?: string }
  | { readonly context: number; readonly token: string };

export type GssAnswer =
  | { readonly ok: true; readonly token: string; readonly complete: boolean }
  /** `code`: of Node, where there is one. `why`: as GSS-API or Node said it. */
  | { readonly ok: false; readonly code?: string; readonly why: string };

export interface GssProcessOptions {
  /** The package or module that has GSS-API. */
  readonly module: string;
  readonly env: NodeJS.ProcessEnv;
  /** Milliseconds until a step that has no answer gets one from here. */
  readonly timeout: number;
}

/**
 * One process that runs `bin/gss.js`. It keeps ours alive only while it is asked something. Once it has ended, `lives` is
 * false and whatever is asked fails.
 */
export class GssProcess {
  readonly #child: ChildProcess;
  readonly #timeout: number;
  readonly #waiting = new Map<number, (answer: GssAnswer) => void>();
  #lives = true;
  #next = 0;

  constructor({ module, env, timeout }: GssProcessOptions) {
    this.#timeout = timeout;
    this.#child = fork(PROGRAM, [module], {
      env: { ...env, UV_THREADPOOL_SIZE: '16' },
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child.on('message', ({ id, ...answer }: GssAnswer & { readonly id: number }) => {
      this.#waiting.get(id)?.(answer);
    });
    this.#child.on('error', (error) => this.#end(`the process for Kerberos cannot be run: ${error.message}`));
    this.#child.on('exit', (code, signal) => {
      this.#end(`the process for Kerberos ended: ${signal === null ? `status ${code}` : signal}`);
    });
    this.#hold(false);
  }

  get lives(): boolean {
    return this.#lives;
  }

  /** Never rejects. */
  ask(request: GssRequest): Promise<GssAnswer> {
    if (!this.#lives) return Promise.resolve({ ok: false, why: 'the process for Kerberos has ended' });
    this.#next += 1;
    const id = this.#next;
    const late = (): void =>
      this.#waiting.get(id)?.({ ok: false, why: `no answer from Kerberos within ${this.#timeout / 1000} s` });
    return new Promise((resolve) => {
      // Only this one: a KDC that is silent says nothing of the tickets that are there already.
      const timer = 'context' in request ? setTimeout(late, this.#timeout) : undefined;
      this.#waiting.set(id, (answer) => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        if (this.#waiting.size === 0) this.#hold(false);
        resolve(answer);
      });
      this.#hold(true);
      this.#child.send({ id, ...request }, () => undefined);
    });
  }

  /** Ends it by the end of its channel. */
  close(): void {
    if (this.#child.connected) this.#child.disconnect();
    this.#end('the process for Kerberos was closed');
  }

  /** Whether our process waits for this one. */
  #hold(held: boolean): void {
    const { channel } = this.#child;
    if (held) {
      this.#child.ref();
      channel?.ref();
    } else {
      this.#child.unref();
      channel?.unref();
    }
  }

  #end(why: string): void {
    this.#lives = false;
    for (const settle of [...this.#waiting.values()]) settle({ ok: false, why });
  }
}
