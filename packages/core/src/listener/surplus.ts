import type { Socket } from 'node:net';
import type { Explanation } from '../http/synthetic-response.ts';

/** Connections beyond a limit that are let in to be told so: this many, and of the open files of the process this part. */
const MOST = 256;
const SHARE = 1 / 16;

interface Surplus {
  readonly socket: Socket;
  readonly refusal: Explanation;
}

/**
 * The connections that are beyond a limit: each is told so at its first request, since before it few clients listen. When
 * there are too many, the one that has waited longest is closed unheard: those that say nothing are in nobody's way.
 */
export class SurplusConnections {
  readonly #waiting = new Map<string, Surplus>();
  readonly #most: number;

  /** `openFiles`: that the process may have. */
  constructor(openFiles = Number.POSITIVE_INFINITY) {
    this.#most = Math.min(MOST, Math.floor(openFiles * SHARE));
  }

  add(socket: Socket, refusal: Explanation): void {
    const name = nameOf(socket);
    this.#waiting.set(name, { socket, refusal });
    socket.once('close', () => this.#waiting.delete(name));
    if (this.#waiting.size <= this.#most) return;
    const [oldest] = this.#waiting.values();
    oldest?.socket.destroy();
  }

  /** Why requests on this socket, or on the TLS over it, are not taken. */
  refusalOf(socket: Socket): Explanation | undefined {
    return this.#waiting.size === 0 ? undefined : this.#waiting.get(nameOf(socket))?.refusal;
  }
}

/** The same of a connection and of the TLS over it. */
const nameOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;
