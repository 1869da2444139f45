import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** A client that writes bytes as they are given and reads what comes, as Latin-1 text. */
export class RawClient {
  readonly socket: Socket;
  readonly ended: Promise<unknown>;
  readonly closed: Promise<unknown>;
  #received = '';
  #arrival = (): void => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    this.closed = once(socket, 'close').finally(() => this.#arrival());
    this.ended = new Promise((resolve) => socket.once('end', resolve).once('close', resolve));
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      this.#received += bytes.toString('latin1');
      this.#arrival();
    });
  }

  static async connect(port: number): Promise<RawClient> {
    const client = new RawClient(connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true }));
    await once(client.socket, 'connect');
    return client;
  }

  write(text: string | Buffer): this {
    this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
    return this;
  }

  /** Everything up to and with `mark`; fails where the connection closes before it comes. */
  async until(mark: string): Promise<string> {
    for (;;) {
      const at = this.#received.indexOf(mark);
      if (at >= 0) {
        const text = this.#received.slice(0, at + mark.length);
        this.#received = this.#received.slice(text.length);
        return text;
      }
      if (this.socket.closed) throw new Error(`closed before ${mark}, after ${JSON.stringify(this.#received)}`);
      await new Promise<void>((resolve) => {
        this.#arrival = resolve;
      });
    }
  }

  /** What comes until the peer ends its side. */
  async toEnd(): Promise<string> {
    await this.ended;
    const text = this.#received;
    this.#received = '';
    return text;
  }

  destroy(): Promise<unknown> {
    this.socket.destroy();
    return this.closed;
  }
}

/** A server on a free port of loopback, and what closes it with all its connections. */
export async function serve(onConnection: (socket: Socket) => void): Promise<{ port: number; stop: () => void }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: (server.address() as AddressInfo).port, stop };
}
