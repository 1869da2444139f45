import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { Answers, Incoming } from './faulty-hop.ts';
import { take } from './faulty-hop.ts';

/** What a next hop does when it has said all before it has heard all. */
export const MANNERS = ['reads on', 'ends its side and reads on', 'closes'] as const;
export type Manner = (typeof MANNERS)[number];

/** An answer to a request of which the head is here and so much of the body. */
export interface Early {
  readonly body: number;
  readonly answer: string;
  readonly then: Manner;
}

/** A next hop that answers one request early, and every other one when it is whole. Bodies are of the letter x alone. */
export class EarlyHop {
  readonly #server: Server;
  readonly #answers: Answers;
  readonly #sockets = new Set<Socket>();
  #early: Early | undefined;
  #answered: () => void = () => undefined;
  /** Bytes that are neither a request nor the rest of one. */
  astray: string | undefined;

  private constructor(server: Server, answers: Answers) {
    this.#server = server;
    this.#answers = answers;
    server.on('connection', (socket: Socket) => this.#serve(socket));
  }

  static async start(answers: Answers): Promise<EarlyHop> {
    const server = createServer({ noDelay: true, allowHalfOpen: true });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new EarlyHop(server, answers);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Answers the next request that is no HEAD so; resolves when it has. */
  plan(early: Early): Promise<void> {
    this.#early = early;
    return new Promise((resolve) => {
      this.#answered = resolve;
    });
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(socket: Socket): void {
    const incoming: Incoming = { text: '' };
    let [granted, isAnswered] = [false, false];
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#sockets.delete(socket));
    socket.once('end', () => socket.end());
    socket.on('data', (bytes) => {
      incoming.text += bytes.toString('latin1');
      if (!isAnswered) isAnswered = this.#answerEarly(socket, incoming.text);
      for (let request = take(incoming); request !== undefined; request = take(incoming)) {
        const credentials = /^proxy-authorization: ([^\r]*)/im.exec(request)?.[1];
        const method = request.slice(0, request.indexOf(' '));
        const answer = this.#answers(credentials, method, granted);
        granted ||= answer.startsWith('HTTP/1.1 200 ');
        if (isAnswered) isAnswered = false;
        else if (socket.writable)
          socket.write(method === 'HEAD' ? answer.slice(0, answer.indexOf('\r\n\r\n') + 4) : answer, 'latin1');
      }
      if (!REQUEST.test(incoming.text)) this.astray = incoming.text;
    });
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
