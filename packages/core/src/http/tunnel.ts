import type { Socket } from 'node:net';
import { couldHaveOwnBuffers, hasOwnBuffers, withOwnBuffers } from './own-buffers.ts';

export interface TunnelOptions {
  /** Milliseconds without a byte in either direction after which the tunnel is cut. */
  readonly idleTimeout: number;
  /** The same, once one side has closed its direction: half-close is legal, but rarely lasts. */
  readonly halfCloseTimeout: number;
}

/** How a tunnel ended and what it carried. */
export interface TunnelEnd {
  readonly reason: 'closed' | 'idle' | 'error';
  /** Bytes from the first socket to the second, and back. */
  readonly sent: number;
  readonly received: number;
}

/** One side of a tunnel: its socket, and bytes that were read from it before the tunnel was made. */
export interface TunnelSide {
  readonly socket: Socket;
  readonly head: Buffer;
}

/**
 * Joins two sockets until both directions have ended. Bytes that came early go first; back-pressure and half-close
 * are kept. Both sockets are destroyed when it resolves; it never rejects.
 */
export function splice(near: TunnelSide, far: TunnelSide, options: TunnelOptions): Promise<TunnelEnd> {
  return new Promise((resolve) => new Tunnel(near, far, options, resolve).start());
}

/** The two ends together: time limits, and how it all comes to an end. */
class Tunnel {
  readonly #near: End;
  readonly #far: End;
  readonly #ends: readonly [End, End];
  readonly #resolve: (end: TunnelEnd) => void;
  readonly #halfCloseTimeout: number;
  #timeout: number;
  #lastTotal: number;
  #settled = false;

  constructor(near: TunnelSide, far: TunnelSide, options: TunnelOptions, resolve: (end: TunnelEnd) => void) {
    this.#near = new End(this, near, () => this.#far);
    this.#far = new End(this, far, () => this.#near);
    this.#ends = [this.#near, this.#far];
    this.#resolve = resolve;
    this.#timeout = options.idleTimeout;
    this.#halfCloseTimeout = options.halfCloseTimeout;
    this.#lastTotal = this.#total();
  }

  get timeout(): number {
    return this.#timeout;
  }

  start(): void {
    if (this.#ends.some(({ socket }) => socket.destroyed)) this.finish('error');
    else for (const end of this.#ends) end.start();
  }

  #total(): number {
    return this.#near.socket.bytesRead + this.#far.socket.bytesRead;
  }

  /**
   * A timer per socket fires although the other one is busy, with a slow reader even where no byte is read meanwhile: only
   * when both have been quiet is the tunnel.
   */
  onTimeout(end: End): void {
    const total = this.#total();
    if (total !== this.#lastTotal) for (const each of this.#ends) each.quiet = false;
    this.#lastTotal = total;
    end.quiet = true;
    if (this.#ends.every(({ socket, quiet }) => socket.destroyed || quiet)) this.finish('idle');
    else end.socket.setTimeout(this.#timeout);
  }

  onHalfClose(): void {
    this.#timeout = this.#halfCloseTimeout;
    for (const { socket } of this.#ends) socket.setTimeout(this.#timeout);
  }

  onClose(): void {
    if (this.#ends.every((end) => end.complete)) this.finish('closed');
    else if (this.#ends.some((end) => end.socket.destroyed && !end.complete)) this.finish('error');
  }

  finish(reason: TunnelEnd['reason']): void {
    if (this.#settled) return;
    this.#settled = true;
    for (const { socket } of this.#ends) socket.destroy();
    this.#resolve({ reason, sent: this.#near.carried, received: this.#far.carried });
  }
}

/** A side that has brought so many bytes is worth another socket; most clients send less, and idle ones should cost little. */
const BULK = 64 * 1024;

/** One end of a tunnel: its bytes go to the other, as fast as that takes them. */
class End {
  socket: Socket;
  /** Its time ran out, and nothing has been read on either end since. */
  quiet = false;
  readonly #tunnel: Tunnel;
  readonly #head: Buffer;
  readonly #peer: () => End;
  /** Read before it became a tunnel. */
  readonly #before: number;
  readonly #movable: boolean;

  constructor(tunnel: Tunnel, { socket, head }: TunnelSide, peer: () => End) {
    this.socket = socket;
    this.#tunnel = tunnel;
    this.#head = head;
    this.#peer = peer;
    this.#movable = couldHaveOwnBuffers(socket);
    // What the socket has read, but nobody has taken from it yet, is part of the tunnel.
    this.#before = socket.bytesRead - socket.readableLength - head.length;
  }

  /** Bytes that it has brought. */
  get carried(): number {
    return this.socket.bytesRead - this.#before;
  }

  /** Both of its directions have ended as they should. */
  get complete(): boolean {
    return this.socket.readableEnded && this.socket.writableFinished;
  }

  start(): void {
    if (this.#head.length > 0) this.#peer().socket.write(this.#head);
    if (!hasOwnBuffers(this.socket) || !this.#borrow()) this.socket.on('data', this.#onData);
    this.#watch(this.socket);
    // The client may have ended its direction while it waited for the tunnel.
    if (this.socket.readableEnded) this.#onEnd();
    this.socket.resume();
  }

  /** The end of one direction is the end of that direction alone. */
  readonly #onEnd = (): void => {
    this.#peer().socket.end();
    this.#tunnel.onHalfClose();
  };

  #watch(socket: Socket): void {
    const tunnel = this.#tunnel;
    // Otherwise Node would end the other direction as soon as one has ended.
    socket.allowHalfOpen = true;
    socket.on('error', () => tunnel.finish('error'));
    socket.on('timeout', () => tunnel.onTimeout(this));
    socket.on('end', this.#onEnd);
    socket.on('close', () => {
      // After a move, the old one is only an echo of the new one.
      if (this.socket === socket) tunnel.onClose();
    });
    socket.setTimeout(tunnel.timeout);
  }

  readonly #onData = (bytes: Buffer): void => {
    this.#pass(bytes);
    // Not in the middle of its own read.
    if (this.#movable && this.carried >= BULK) setImmediate(() => this.#move());
  };

  #pass(bytes: Buffer, done?: () => void): boolean {
    const to = this.#peer().socket;
    if (to.write(bytes, done)) return true;
    this.socket.pause();
    to.once('drain', () => this.socket.resume());
    return false;
  }

  /** From now on it reads into buffers that are used again and again; `false` where that cannot be. */
  #borrow(): boolean {
    const socket = withOwnBuffers(this.socket, (bytes, done) => this.#pass(bytes, done));
    if (socket !== undefined) this.socket = socket;
    return socket !== undefined;
  }

  /** It has become a bulk transfer. */
  #move(): void {
    const { socket } = this;
    if (hasOwnBuffers(socket) || !this.#borrow()) return;
    socket.setTimeout(0);
    this.#watch(this.socket);
    if (!socket.isPaused()) this.socket.resume();
  }
}
