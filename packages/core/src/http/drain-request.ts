import type { IncomingMessage } from 'node:http';

/** What is worth reading to spare a connection; nginx's `lingering_timeout` is 5 s as well. */
const MAX_BYTES = 1024 * 1024;
const MAX_MS = 5_000;

/**
 * Reads and drops what is left of a request body. `left`: there is more than is worth reading, the connection should be
 * closed.
 */
export function drainRequest(req: IncomingMessage): Promise<'ended' | 'left'> {
  // A request whose response has been sent is not told by Node that its client has gone; the socket is.
  const { socket } = req;
  return new Promise((resolve) => {
    let bytes = 0;
    const settle = (outcome: 'ended' | 'left'): void => {
      clearTimeout(timer);
      req.off('data', onData).off('end', onEnd);
      socket.off('close', onEnd);
      req.resume();
      resolve(outcome);
    };
    const onEnd = (): void => settle('ended');
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > MAX_BYTES) settle('left');
    };
    const timer = setTimeout(settle, MAX_MS, 'left');
    if (req.complete || req.destroyed || socket.destroyed) onEnd();
    else {
      socket.once('close', onEnd);
      req.on('data', onData).once('end', onEnd).resume();
    }
  });
}
