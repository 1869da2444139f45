import { Socket } from 'node:net';

/** Takes bytes that are good only until `done` is called; `false`: no more until the socket is resumed. */
export type TakeBytes = (bytes: Buffer, done: () => void) => boolean;

/** A read that fills this many bytes is one of many. */
const SCRATCH_SIZE = 16 * 1024;
const LARGE_SIZE = 256 * 1024;
/** Large buffers that wait for the next bulk transfer, of all sockets together. */
const MAX_FREE = 32;

/** Whoever reads little reads into this and copies: an idle connection holds no buffer of its own. */
const scratch = Buffer.allocUnsafeSlow(SCRATCH_SIZE);
const free: Buffer[] = [];

const release = (buffer: Buffer): void => {
  if (free.length < MAX_FREE) free.push(buffer);
};
const nothing = (): void => undefined;

/** What Node's sockets have beyond their types. */
interface Handle {
  reading?: boolean;
  readonly readStop?: () => unknown;
  readonly useUserBuffer?: (buffer: Uint8Array) => void;
}
type Inside = Omit<Socket, '_handle'> & { _handle: Handle | null };

/**
 * The same connection as a new socket, which reads into a few buffers that are used again and again, in place of a new one
 * for each read: half the cost of a bulk transfer. Node has that (`onread`), but only for connections that it is to make,
 * so the handle moves to a socket that is made with it. The old socket stays for those who know it: each of the two is
 * destroyed with the other. `undefined` where that cannot be done: TLS, or a socket with bytes still in it.
 */
export function withOwnBuffers(socket: Socket, take: TakeBytes): Socket | undefined {
  const old = socket as unknown as Inside;
  const handle = old._handle;
  if (typeof handle?.useUserBuffer !== 'function' || typeof handle.readStop !== 'function' || 'encrypted' in socket)
    return undefined;
  if (socket.destroyed || socket.readableEnded || socket.readableLength > 0 || socket.writableLength > 0)
    return undefined;
  let large = false;
  const callback = (length: number, buffer: Uint8Array): boolean => {
    const bytes = buffer as Buffer;
    if (bytes === scratch) {
      large = length === SCRATCH_SIZE;
      return take(Buffer.from(bytes.subarray(0, length)), nothing);
    }
    large = length >= SCRATCH_SIZE;
    return take(bytes.subarray(0, length), () => release(bytes));
  };
  const buffer = (): Buffer => (large ? (free.pop() ?? Buffer.allocUnsafeSlow(LARGE_SIZE)) : scratch);
  handle.readStop();
  handle.reading = false;
  const bare = new Socket({ handle, manualStart: true, allowHalfOpen: true, onread: { buffer, callback } } as object);
  old._handle = null;
  bare.once('close', () => socket.destroy());
  socket.once('close', () => bare.destroy());
  return bare;
}
