import type { Socket } from 'node:net';
import type { Answers } from './next-hop.ts';
import { NextHop } from './next-hop.ts';

/** What a next hop does when it has said all before it has heard all. */
export const MANNERS = ['reads on', 'ends its side and reads on', 'closes'] as const;
export type Manner = (typeof MANNERS)[number];

/** An answer to a request of which the head is here and so much of the body. */
export interface Early {
  readonly body: number;
  readonly answer: string;
  readonly then: Manner;
}

/** Answers one request early, and every other one when it is whole. Bodies are of the letter x alone. */
export class EarlyHop extends NextHop {
  #early: Early | undefined;
  #answered: () => void = () => undefined;
  /** Connections whose next answer has been given already. */
  readonly #ahead = new WeakSet<Socket>();
  /** Bytes that are neither a request nor the rest of one. */
  astray: string | undefined;

  static async start(answers: Answers): Promise<EarlyHop> {
    return new EarlyHop(await EarlyHop.listening(), answers);
  }

  /** Answers the next request that is no HEAD so; resolves when it has. */
  plan(early: Early): Promise<void> {
    this.#early = early;
    return new Promise((resolve) => {
      this.#answered = resolve;
    });
  }

  protected welcome(): boolean {
    return true;
  }

  protected hear(socket: Socket, text: string): void {
    if (!this.#ahead.has(socket) && this.#answerEarly(socket, text)) this.#ahead.add(socket);
  }

  protected say(socket: Socket, answer: string): void {
    if (!this.#ahead.delete(socket) && socket.writable) socket.write(answer, 'latin1');
  }

  protected rest(text: string): void {
    if (!REQUEST.test(text)) this.astray = text;
  }

  /** Whether it was time to. */
  #answerEarly(socket: Socket, text: string): boolean {
    const early = this.#early;
    const [, body] = text.split(/\r\n\r\n(.*)/s);
    if (early === undefined || body === undefined || text.startsWith('HEAD ')) return false;
    if (body.replace(/[^x]/g, '').length < early.body) return false;
    this.#early = undefined;
    socket.write(early.answer, 'latin1');
    if (early.then === 'closes') socket.destroySoon();
    else if (early.then !== 'reads on') socket.end();
    this.#answered();
    return true;
  }
}

/** The beginning of a request, as far as it is here. */
const REQUEST = /^$|^[A-Z]{1,7}(?:$| (?:(?!\r\n\r\n).)*$)|^[A-Z]{1,7} (?:(?!\r\n\r\n).)*\r\n\r\n[0-9a-fx\r\n]*$/s;
