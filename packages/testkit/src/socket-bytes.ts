import type { Socket } from 'node:net';

/** How a peer closed: it ended its direction, or the connection broke. */
export type Closed = 'end' | 'reset';

/** The bytes of a socket, to be awaited. Owns its listeners from construction to {@link SocketBytes.release}. */
export class SocketBytes {
  readonly #socket: Socket;
  #waiting: Buffer[] = [];
  #closed: Closed | undefined;
  #wake: () => void = () => undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onClose);
    // Stays after release: a socket without it would end the process.
    socket.on('error', () => undefined);
  }

  get closed(): Closed | undefined {
    return this.#closed;
  }

  /** What has come since the last call; `undefined` once the peer has closed and all was taken. */
  async next(): Promise<Buffer | undefined> {
    while (this.#waiting.length === 0 && this.#closed === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#waiting.length === 0) return undefined;
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    return bytes;
  }

  /** Stops reading and gives back what nobody has taken; the socket is paused. */
  release(): Buffer {
    this.#socket.pause();
    this.#socket.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    const rest = Buffer.concat(this.#waiting);
    this.#waiting = [];
    return rest;
  }

  readonly #onData = (bytes: Buffer): void => {
    this.#waiting.push(bytes);
    this.#wake();
  };

  readonly #onEnd = (): void => {
    this.#closed ??= 'end';
    this.#wake();
  };

  readonly #onClose = (): void => {
    this.#closed ??= 'reset';
    this.#wake();
  };
}
