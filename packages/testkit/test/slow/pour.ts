import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';

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

/** Turns of the event loop without a change after which there will be none. */
const STILL = 500;

/** Waits until it does not change any more. */
export async function standstill(value: () => number): Promise<void> {
  let last = value();
  for (let turns = 0; turns < STILL; turns += 1) {
    await setImmediate();
    if (value() === last) continue;
    last = value();
    turns = 0;
  }
}
