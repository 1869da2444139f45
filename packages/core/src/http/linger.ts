import type { Socket } from 'node:net';

/** nginx's `lingering_timeout`. */
const MAX_MS = 5_000;

/**
 * Ends our side, and drops what the client still sends until it closes too. A socket that is closed with unread bytes is
 * reset, and the reset can destroy the response unread (RFC 9112 §9.6).
 */
export function endLingering(socket: Socket, last = ''): void {
  if (socket.destroyed) return;
  const timer = setTimeout(() => socket.destroy(), MAX_MS);
  socket.once('close', () => clearTimeout(timer));
  socket.end(last);
  socket.resume();
}
