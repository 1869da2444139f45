import type { IncomingMessage, ServerResponse } from 'node:http';
import { valuesOf } from './headers.ts';

/** What is worth reading to spare a connection. */
const MAX_BYTES = 1024 * 1024;
/** As long as nginx's `lingering_timeout`. */
const MAX_MS = 5_000;

/** The request announces more content than is worth reading. */
export function isTooMuchToDrain({ rawHeaders }: IncomingMessage): boolean {
  return valuesOf(rawHeaders, 'content-length').some((length) => Number(length) > MAX_BYTES);
}

/**
 * Reads and drops what is left of a request body. `left`: it goes on for longer than is worth waiting for, the connection should
 * be closed. No number of bytes ends it sooner: to close on a client that sends resets the connection, and the response it has not
 * read yet is lost (RFC 9112 §9.6).
 */
export function drainRequest(req: IncomingMessage): Promise<'ended' | 'left'> {
  // A request whose response has been sent is not told by Node that its client has gone; the socket is.
  const { socket } = req;
  req.resume();
  return new Promise((resolve) => {
    const settle = (outcome: 'ended' | 'left'): void => {
      clearTimeout(timer);
      req.off('end', onEnd);
      socket.off('close', onEnd);
      resolve(outcome);
    };
    const onEnd = (): void => settle('ended');
    const timer = setTimeout(settle, MAX_MS, 'left');
    if (req.complete || req.destroyed || socket.destroyed) onEnd();
    else {
      socket.once('close', onEnd);
      req.once('end', onEnd);
    }
  });
}

/**
 * Reads and drops what is left of a request whose response is complete, so that its connection can go on; ends the connection where
 * that takes too long. After a 407 all of it is read: the client is asked to go on, and in a handshake that has to be here
 * (RFC 4559 §6).
 */
export function dropRest({ req, statusCode }: ServerResponse): void {
  req.resume();
  if (statusCode === 407) return;
  // By then all that came together has been parsed: of pipelined requests at most the last is not complete.
  setImmediate(async () => {
    if ((await drainRequest(req)) === 'left') req.socket.destroy();
  });
}
