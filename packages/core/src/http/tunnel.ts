import type { Socket } from 'node:net';

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
    const sides = [near, far] as const;
    const sockets = [near.socket, far.socket] as const;
    // What a socket has read, but nobody has taken from it yet, is part of the tunnel.
    const [sentBefore, receivedBefore] = sides.map(
      ({ socket, head }) => socket.bytesRead - socket.readableLength - head.length,
    ) as [number, number];
    const total = (): number => near.socket.bytesRead + far.socket.bytesRead;
    const quiet = new Set<Socket>();
    let lastTotal = total();
    let timeout = options.idleTimeout;
    let settled = false;

    const finish = (reason: TunnelEnd['reason']): void => {
      if (settled) return;
      settled = true;
      for (const socket of sockets) socket.setTimeout(0).destroy();
      resolve({ reason, sent: near.socket.bytesRead - sentBefore, received: far.socket.bytesRead - receivedBefore });
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
    if (near.head.length > 0) far.socket.write(near.head);
    if (far.head.length > 0) near.socket.write(far.head);
    near.socket.pipe(far.socket);
    far.socket.pipe(near.socket);
  });
}
