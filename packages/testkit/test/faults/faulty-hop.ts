import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';

/** What a next hop does once it has sent so many bytes of an exchange, on whatever connections. */
export interface Fault {
  readonly at: number;
  readonly by: 'reset' | 'close' | 'stall';
  /** Not before it is asked for the next byte by a request. */
  readonly asked?: boolean;
}

/** How it answers a request, by its credentials: bytes, in Latin-1. `granted`: another one on this connection was. */
export type Answers = (credentials: string | undefined, method: string, granted: boolean) => string;

/** A request of an exchange under way: what has come of it. */
export interface Incoming {
  text: string;
}

/** A next hop of a few lines that counts the bytes it sends, and fails once where it is told to. */
export class FaultyHop {
  readonly #server: Server;
  readonly #answers: Answers;
  readonly #sockets = new Set<Socket>();
  #fault: Fault | undefined;
  #sent = 0;
  #legs: string[] = [];
  #failed: () => void = () => undefined;

  private constructor(server: Server, answers: Answers) {
    this.#server = server;
    this.#answers = answers;
    server.on('connection', (socket: Socket) => this.#serve(socket));
  }

  static async start(answers: Answers): Promise<FaultyHop> {
    const server = createServer({ noDelay: true, allowHalfOpen: true });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new FaultyHop(server, answers);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Bytes since the last {@link plan}. */
  get sent(): number {
    return this.#sent;
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

  /** Ends the connections that are open. */
  dismiss(): void {
    for (const socket of this.#sockets) socket.end();
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(socket: Socket): void {
    const incoming: Incoming = { text: '' };
    let granted = false;
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#sockets.delete(socket));
    socket.once('end', () => socket.end());
    if (this.deaf) {
      socket.pause();
      return;
    }
    if (this.greeting === '') this.#fail(socket, false);
    else this.#send(socket, this.greeting);
    socket.on('data', (bytes) => {
      incoming.text += bytes.toString('latin1');
      for (let request = take(incoming); request !== undefined; request = take(incoming)) {
        const credentials = /^proxy-authorization: ([^\r]*)/im.exec(request)?.[1];
        const method = request.slice(0, request.indexOf(' '));
        const answer = this.#answers(credentials, method, granted);
        granted ||= answer.startsWith('HTTP/1.1 200 ');
        this.#send(socket, method === 'HEAD' ? answer.slice(0, answer.indexOf('\r\n\r\n') + 4) : answer);
      }
    });
  }

  #send(socket: Socket, text: string): void {
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

/** The first whole request of what has come; a tunnel's bytes are none. */
export function take(incoming: Incoming): string | undefined {
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
