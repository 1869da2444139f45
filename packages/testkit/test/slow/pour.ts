import type { Socket } from 'node:net';

/** One for all: what is held of it is what others have made of it. */
const PIECE = Buffer.alloc(64 * 1024, 'x');

/** Writes up to so many bytes, as fast as they are taken. */
export function pour(socket: Socket, bytes: number, piece = PIECE): void {
  let left = bytes;
  const more = (): void => {
    while (left > 0 && !socket.destroyed) {
      left -= piece.length;
      if (!socket.write(piece)) return;
    }
  };
  socket.on('drain', more);
  more();
}
