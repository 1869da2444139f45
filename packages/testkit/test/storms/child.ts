import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

type Message = Readonly<Record<string, unknown>>;

/** A process of this suite: it has file descriptors and memory of its own, and is spoken to in messages. */
export class Child {
  static readonly #all = new Set<Child>();
  readonly #process: ChildProcess;
  readonly #exit: Promise<unknown>;
  #said: Message[] = [];
  #waiting: (() => void)[] = [];

  /** `file` lies beside this one; `openFiles`: that it may have. */
  constructor(file: string, args: readonly string[], openFiles?: number) {
    Child.#all.add(this);
    const limited = ['-c', `ulimit -n ${openFiles}; exec "$0" "$@"`, process.execPath];
    this.#process = fork(fileURLToPath(new URL(file, import.meta.url)), args, {
      execPath: openFiles === undefined ? process.execPath : '/bin/sh',
      execArgv: [...(openFiles === undefined ? [] : limited), '--expose-gc'],
    });
    this.#exit = once(this.#process, 'exit').finally(() => {
      Child.#all.delete(this);
      this.#arrived();
    });
    this.#process.on('message', (message: Message) => {
      this.#said.push(message);
      this.#arrived();
    });
  }

  /** For `afterEach`. */
  static endAll(): Promise<unknown> {
    return Promise.all([...Child.#all].map((child) => child.end()));
  }

  /** The next message with this key, whatever was said before. */
  async says<T>(key: string): Promise<T> {
    for (;;) {
      const found = this.#said.find((message) => key in message);
      if (found !== undefined) {
        this.#said = this.#said.filter((message) => message !== found);
        return found as T;
      }
      if (this.#process.exitCode !== null)
        throw new Error(`ended with ${this.#process.exitCode} before it said ${key}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #arrived(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  async ask<T>(question: string | number, key: string): Promise<T> {
    this.#process.send(question);
    return this.says(key);
  }

  async end(): Promise<void> {
    if (this.#process.connected) this.#process.disconnect();
    await this.#exit;
  }
}
