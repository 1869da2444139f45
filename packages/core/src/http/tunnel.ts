import type { Socket } from 'node:net';
import { withOwnBuffers } from './own-buffers.ts';

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
  return new Promise((resolve) => {
    // What a socket has read, but nobody has taken from it yet, is part of the tunnel.
    const [sentBefore, receivedBefore] = [near, far].map(
      ({ socket, head }) => socket.bytesRead - socket.readableLength - head.length,
    ) as [number, number];
    const joined: [Joined, Joined] = [join(near.socket, () => joined[1]), join(far.socket, () => joined[0])];
    const [from, to] = [joined[0].socket, joined[1].socket];
    const sockets = [from, to] as const;
    const total = (): number => from.bytesRead + to.bytesRead;
    const quiet = new Set<Socket>();
    let lastTotal = total();
    let timeout = options.idleTimeout;
    let settled = false;

    const finish = (reason: TunnelEnd['reason']): void => {
      if (settled) return;
      settled = true;
      for (const socket of sockets) socket.setTimeout(0).destroy();
      resolve({ reason, sent: from.bytesRead - sentBefore, received: to.bytesRead - receivedBefore });
    };
    // A timer per socket fires although the other one is busy, with a slow reader even where no byte is read meanwhile:
    // only when both have been quiet is the tunnel.
    const onTimeout = (socket: Socket): void => {
      if (total() !== lastTotal) quiet.clear();
      lastTotal = total();
      quiet.add(socket);
      if (sockets.every((each) => each.destroyed || quiet.has(each))) finish('idle');
      else socket.setTimeout(timeout);
    };
    const onEnd = (): void => {
      timeout = options.halfCloseTimeout;
      for (const socket of sockets) socket.setTimeout(timeout);
    };
    const onClose = (): void => {
      if (sockets.every((socket) => socket.readableEnded && socket.writableFinished)) finish('closed');
      else if (sockets.some((socket) => socket.destroyed && !(socket.readableEnded && socket.writableFinished)))
        finish('error');
    };

    for (const socket of sockets) socket.on('error', () => finish('error'));
    if (sockets.some((socket) => socket.destroyed)) {
      finish('error');
      return;
    }
    for (const socket of sockets) {
      // Otherwise Node would end the other direction as soon as one has ended.
      socket.allowHalfOpen = true;
      socket.on('timeout', () => onTimeout(socket));
      socket.once('end', onEnd);
      socket.once('close', onClose);
      socket.setTimeout(timeout);
    }
    if (near.head.length > 0) to.write(near.head);
    if (far.head.length > 0) from.write(far.head);
    for (const one of joined) one.start();
  });
}

/** One end of a tunnel, from which bytes are to flow to the other. */
interface Joined {
  readonly socket: Socket;
  readonly start: () => void;
}

/** Bytes of `socket` go to `peer`, as fast as that takes them; the end of one direction is the end of that direction alone. */
function join(socket: Socket, peer: () => Joined): Joined {
  const bare = withOwnBuffers(socket, (bytes, done) => {
    const to = peer().socket;
    if (to.write(bytes, done)) return true;
    to.once('drain', () => bare?.resume());
    return false;
  });
  if (bare === undefined) return { socket, start: () => void socket.pipe(peer().socket) };
  const start = (): void => {
    bare.once('end', () => peer().socket.end());
    bare.resume();
  };
  return { socket: bare, start };
}
