import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';

/** How a next hop answers a request, by its credentials: bytes, in Latin-1. `granted`: another one on this connection was. */
export type Answers = (credentials: string | undefined, method: string, granted: boolean) => string;

/** A next hop of a few lines. What it does beside answering whole requests, those who extend it say. */
export abstract class NextHop {
  readonly #server: Server;
  readonly #answers: Answers;
  readonly #sockets = new Set<Socket>();

  protected constructor(server: Server, answers: Answers) {
    this.#server = server;
    this.#answers = answers;
    server.on('connection', (socket: Socket) => this.#serve(socket));
  }

  /** Listens on a free port. */
  protected static async listening(): Promise<Server> {
    const server = createServer({ noDelay: true, allowHalfOpen: true });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Ends the connections that are open. */
  dismiss(): void {
    for (const socket of this.#sockets) socket.end();
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Of a new connection; whether it is heard. */
  protected abstract welcome(socket: Socket): boolean;

  /** More has come of a connection: `text` is what no whole request was taken from yet. */
  protected abstract hear(socket: Socket, text: string): void;

  protected abstract say(socket: Socket, answer: string): void;

  /** All whole requests have been taken from what has come. */
  protected abstract rest(text: string): void;

  #serve(socket: Socket): void {
    const incoming: Incoming = { text: '' };
    let granted = false;
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#sockets.delete(socket));
    socket.once('end', () => socket.end());
    if (!this.welcome(socket)) {
      socket.pause();
      return;
    }
    socket.on('data', (bytes) => {
      incoming.text += bytes.toString('latin1');
      this.hear(socket, incoming.text);
      for (let request = take(incoming); request !== undefined; request = take(incoming)) {
        const credentials = /^proxy-authorization: ([^\r]*)/im.exec(request)?.[1];
        const method = request.slice(0, request.indexOf(' '));
        const answer = this.#answers(credentials, method, granted);
        granted ||= answer.startsWith('HTTP/1.1 200 ');
        this.say(socket, method === 'HEAD' ? answer.slice(0, answer.indexOf('\r\n\r\n') + 4) : answer);
      }
      this.rest(incoming.text);
    });
  }
}

/** A connection, as far as no request was taken from it. */
interface Incoming {
  text: string;
}

/** The first whole request of what has come; a tunnel's bytes are none. */
function take(incoming: Incoming): string | undefined {
  const end = incoming.text.indexOf('\r\n\r\n') + 4;
  if (end < 4) return undefined;
  const head = incoming.text.slice(0, end);
  const length = bodyLength(head, incoming.text.slice(end));
  if (length === undefined || incoming.text.length < end + length) return undefined;
  incoming.text = incoming.text.slice(end + length);
  return head;
}

/** Of a body in chunks it is known when all of it is here. */
function bodyLength(head: string, rest: string): number | undefined {
  if (!/^transfer-encoding:/im.test(head)) return Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
  return /^(?:[1-9a-f][0-9a-f]*\r\nx+\r\n)*0\r\n\r\n/.exec(rest)?.[0].length;
}
