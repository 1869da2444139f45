import { EventEmitter, once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { closeLater } from './running-upstream.ts';

/** An origin that keeps the bytes it got, and answers as told. */
export class RawOrigin {
  readonly port: number;
  /** Latin-1, of all connections, in the order they came. */
  received = '';
  accepted = 0;
  readonly sockets = new Set<Socket>();
  readonly #changes = new EventEmitter();

  constructor(port: number) {
    this.port = port;
  }

  /** `host:port`. */
  get authority(): string {
    return `127.0.0.1:${this.port}`;
  }

  adopt(socket: Socket): void {
    this.accepted += 1;
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      this.sockets.delete(socket);
      this.#changes.emit('change');
    });
    this.#changes.emit('change');
  }

  take(bytes: Buffer): void {
    this.received += bytes.toString('latin1');
    this.#changes.emit('change');
  }

  /** Waits until `condition` holds; it is asked after every arrival, new connection and close. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await once(this.#changes, 'change');
  }

  receives(text: string): Promise<void> {
    return this.until(() => this.received.includes(text));
  }

  /** Waits until every connection has closed. */
  deserted(): Promise<void> {
    return this.until(() => this.accepted > 0 && this.sockets.size === 0);
  }
}

/** What a connection does with each arrival; `text` is all that came on this connection. */
export type Script = (socket: Socket, text: string) => void;

/** Answers a head, once for each, with `response`. */
export const answering =
  (response: string): Script =>
  (socket, text) => {
    if (text.endsWith('\r\n\r\n')) socket.write(response, 'latin1');
  };

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** `greet` is called with each new connection; `allowHalfOpen` as in `net.createServer`. */
export async function rawOrigin(
  script: Script = answering(OK),
  greet: (socket: Socket) => void = () => undefined,
  allowHalfOpen = false,
): Promise<RawOrigin> {
  const server = createServer({ allowHalfOpen }, (socket) => {
    origin.adopt(socket);
    greet(socket);
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      origin.take(bytes);
      script(socket, text);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = new RawOrigin((server.address() as AddressInfo).port);
  closeLater(async () => {
    for (const socket of origin.sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return origin;
}
