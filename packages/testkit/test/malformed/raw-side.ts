import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';

/** Under Jest's own limit, so that what was received is told. */
const DEADLINE_MS = 4_000;
/** An error message shows this much of what was received. */
const SHOWN = 500;

/** How bytes are written: at once, or each alone. */
export type Cut = 'whole' | 'bytes';

/** A client's connection of which everything is kept, Latin-1, whether it can be read or not. */
export class RawSide {
  readonly socket: Socket;
  text = '';
  #changed: () => void = () => undefined;

  constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
    this.socket.on('error', () => undefined);
    this.socket.on('end', () => this.#changed());
    this.socket.on('close', () => this.#changed());
    this.socket.on('data', (bytes) => {
      this.text += bytes.toString('latin1');
      this.#changed();
    });
  }

  /** The peer has ended its side. */
  get ended(): boolean {
    return this.socket.readableEnded || this.socket.destroyed;
  }

  async write(bytes: Buffer, cut: Cut): Promise<void> {
    const length = cut === 'whole' ? bytes.length : 1;
    for (let at = 0; at < bytes.length && !this.ended; at += length) {
      this.socket.write(bytes.subarray(at, at + length));
      // The peer reads it before the next comes.
      if (cut === 'bytes') await setImmediate();
    }
  }

  /** Waits until it holds; it is asked after every arrival, and at the end. */
  async until(condition: () => boolean): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, DEADLINE_MS, 'late');
    });
    try {
      while (!condition()) {
        const change = new Promise<void>((resolve) => {
          this.#changed = resolve;
        });
        if ((await Promise.race([change, late])) === 'late') {
          throw new Error(`nothing more came, after ${JSON.stringify(this.text.slice(0, SHOWN))}`);
        }
      }
    } finally {
      clearTimeout(timer);
    }
  }
}
