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
    const [sentBefore, receivedBefore] = sides.map(({ socket, head }) => socket.bytesRead - head.length) as [
      number,
      number,
    ];
    const total = (): number => near.socket.bytesRead + far.socket.bytesRead;
    let lastTotal = total();
    let timeout = options.idleTimeout;
    let settled = false;

    const finish = (reason: TunnelEnd['reason']): void => {
      if (settled) return;
      settled = true;
      for (const socket of sockets) socket.setTimeout(0).destroy();
      resolve({ reason, sent: near.socket.bytesRead - sentBefore, received: far.socket.bytesRead - receivedBefore });
    };
    // A timer per socket fires although the other direction is busy: only a span without any byte at all counts.
    const onTimeout = (socket: Socket): void => {
      if (total() === lastTotal) finish('idle');
      else socket.setTimeout(timeout);
      lastTotal = total();
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

    if (sockets.some((socket) => socket.destroyed)) {
      finish('error');
      return;
    }
    for (const socket of sockets) {
      socket.on('error', () => finish('error'));
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
