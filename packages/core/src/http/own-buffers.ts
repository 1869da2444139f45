import type { NetConnectOpts } from 'node:net';
import { connect, Socket } from 'node:net';

/** Takes what a socket has read; `false`: no more until the socket is resumed. */
export type TakeBytes = (bytes: Buffer) => boolean;

/** The same for bytes that are good only until `done` is called. */
export type TakeBorrowed = (bytes: Buffer, done: () => void) => boolean;

/** A read that fills so many bytes is one of many; the next one is, too, while it brings as much as `MANY`. */
const SCRATCH_SIZE = 64 * 1024;
const MANY = 16 * 1024;
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

/** What a socket that was made with `onread` reads into, and who gets it. */
class Reader {
  #take: TakeBorrowed = () => false;
  /** Large buffers are for those who give them back. */
  #lends = false;
  #large = false;

  /** From now on `take` gets it, as buffers to keep. */
  give(take: TakeBytes): void {
    this.#take = take;
    this.#lends = false;
  }

  lend(take: TakeBorrowed): void {
    this.#take = take;
    this.#lends = true;
  }

  readonly buffer = (): Buffer => {
    if (!this.#large || !this.#lends) return scratch;
    return free.pop() ?? Buffer.allocUnsafeSlow(LARGE_SIZE);
  };

  readonly callback = (length: number, buffer: Uint8Array): boolean => {
    const bytes = buffer.subarray(0, length) as Buffer;
    if (buffer === scratch) {
      this.#large = length === SCRATCH_SIZE;
      return this.#take(Buffer.from(bytes), nothing);
    }
    this.#large = length >= MANY;
    return this.#take(bytes, () => release(buffer as Buffer));
  };
}

const readers = new WeakMap<Socket, Reader>();

/**
 * As `net.connect`, but the socket reads into a few buffers that are used again and again, in place of a new one for each
 * read. It is an ordinary stream until somebody takes its bytes by {@link takeBytes} or {@link withOwnBuffers}.
 */
export function connectWithOwnBuffers(options: NetConnectOpts): Socket {
  const reader = new Reader();
  const { buffer, callback } = reader;
  const socket = connect({ ...options, onread: { buffer, callback } });
  readers.set(socket, reader);
  asStream(socket);
  return socket;
}

/** What the socket reads goes past its stream, to `take`; `false` where that cannot be: TLS, or bytes still in the stream. */
export function takeBytes(socket: Socket, take: TakeBytes): boolean {
  const reader = readers.get(socket);
  if (reader === undefined || !isFresh(socket)) return false;
  reader.give(take);
  return true;
}

/** Ends {@link takeBytes}; `false` where the socket is a stream and nothing else. */
export function asStream(socket: Socket): boolean {
  const reader = readers.get(socket);
  reader?.give((bytes) => socket.push(bytes));
  return reader !== undefined;
}

/** It reads into buffers that are used again and again. */
export function hasOwnBuffers(socket: Socket): boolean {
  return readers.has(socket);
}

/** What Node's sockets have beyond their types. */
interface Handle {
  reading?: boolean;
  readonly readStop?: () => unknown;
  readonly useUserBuffer?: (buffer: Uint8Array) => void;
}
type Inside = Omit<Socket, '_handle'> & { _handle: Handle | null };

/** {@link withOwnBuffers} may succeed, now or later: its handle is the system's, and not of TLS. */
export function couldHaveOwnBuffers(socket: Socket): boolean {
  const handle = (socket as unknown as Inside)._handle;
  return (
    typeof handle?.useUserBuffer === 'function' && typeof handle.readStop === 'function' && !('encrypted' in socket)
  );
}

/**
 * The same connection as a socket that reads as {@link connectWithOwnBuffers} has it: half the cost of a bulk transfer.
 * Node has that (`onread`), but only for connections that it is to make, so the handle of another moves to a socket that
 * is made with it. The old socket stays for those who know it: each of the two is destroyed with the other. `undefined`
 * where that cannot be done: TLS, or a socket with bytes still in it.
 */
export function withOwnBuffers(socket: Socket, take: TakeBorrowed): Socket | undefined {
  if (!isFresh(socket) || !socket.writable || socket.writableLength > 0) return undefined;
  const reader = readers.get(socket);
  if (reader !== undefined) {
    reader.lend(take);
    return socket;
  }
  const old = socket as unknown as Inside;
  const handle = old._handle;
  if (handle?.readStop === undefined || !couldHaveOwnBuffers(socket)) return undefined;
  const moved = new Reader();
  moved.lend(take);
  handle.readStop();
  handle.reading = false;
  const { buffer, callback } = moved;
  const bare = new Socket({ handle, manualStart: true, allowHalfOpen: true, onread: { buffer, callback } } as object);
  readers.set(bare, moved);
  old._handle = null;
  bare.once('close', () => socket.destroy());
  socket.once('close', () => bare.destroy());
  return bare;
}

/** Nothing of it is on its way to somebody. */
function isFresh(socket: Socket): boolean {
  return !socket.destroyed && !socket.readableEnded && socket.readableLength === 0;
}
