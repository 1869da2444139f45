import type { Socket } from 'node:net';
import type { Answers } from './next-hop.ts';
import { NextHop } from './next-hop.ts';

/** What a next hop does once it has sent so many bytes of an exchange, on whatever connections. */
export interface Fault {
  readonly at: number;
  readonly by: 'reset' | 'close' | 'stall';
  /** Not before it is asked for the next byte by a request. */
  readonly asked?: boolean;
}

/** Counts the bytes it sends, and fails once where it is told to. */
export class FaultyHop extends NextHop {
  #fault: Fault | undefined;
  #sent = 0;
  #legs: string[] = [];
  #failed: () => void = () => undefined;

  static async start(answers: Answers): Promise<FaultyHop> {
    return new FaultyHop(await FaultyHop.listening(), answers);
  }

  /** What it has answered, or would have but for the fault, since the last {@link plan}. */
  get legs(): readonly string[] {
    return this.#legs;
  }

  /** Says this on each new connection before anything is asked, as the far end of a tunnel may. */
  greeting = '';

  /** Takes connections, and nothing that comes on them. */
  deaf = false;

  /** Counts from now, and fails once, or not at all. Resolves when it has failed. */
  plan(fault: Fault | undefined): Promise<void> {
    this.#fault = fault;
    this.#sent = 0;
    this.#legs = [];
    return new Promise((resolve) => {
      this.#failed = resolve;
    });
  }

  protected welcome(socket: Socket): boolean {
    if (this.deaf) return false;
    if (this.greeting === '') this.#fail(socket, false);
    else this.say(socket, this.greeting);
    return true;
  }

  protected hear(): void {}

  protected rest(): void {}

  protected say(socket: Socket, text: string): void {
    this.#legs.push(text);
    const left = this.#fault === undefined ? text.length : this.#fault.at - this.#sent;
    const now = text.slice(0, left);
    this.#sent += now.length;
    if (now.length > 0) socket.write(now, 'latin1', () => this.#fail(socket, now.length < text.length));
    else this.#fail(socket, true);
  }

  /** `asked`: somebody waits for more. */
  #fail(socket: Socket, asked: boolean): void {
    const fault = this.#fault;
    if (fault === undefined || this.#sent < fault.at || (fault.asked === true && !asked)) return;
    this.#fault = undefined;
    if (fault.by === 'reset') socket.resetAndDestroy();
    else if (fault.by === 'close') socket.end();
    this.#failed();
  }
}
