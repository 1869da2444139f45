import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { RequestBody } from '@chain407/core';
import { dropRest, endToEndTrailers, inviteBody, pairsOf, waitsForInvitation } from '@chain407/core';
import { HOP_CODES, HopError } from '../hop/hop-error.ts';
import type { OutboundBody } from '../hop/outbound-request.ts';
import type { ReplayMemory } from './replay-memory.ts';

/**
 * A client's request body on its way to the next hop: streamed with back-pressure, and kept up to a limit, so that it
 * can be sent once more when the first try ends in a 407. Owns how a body is framed, not whether it may be sent again.
 */
export class ReplayBody implements OutboundBody {
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #framing: RequestBody;
  readonly #memory: ReplayMemory;
  /** What has been read so far, or nothing once that was more than may be kept. */
  #kept: Buffer[] | undefined = [];
  #keptBytes = 0;
  /** Of the memory, taken for this body. */
  #reserved = 0;
  /** Of a known length that is more than may be kept. */
  #tooLarge = false;
  #ended = false;
  #sent = false;
  #bytes = 0;
  #socket: Socket | undefined;
  #listening = false;
  /** Somebody waits until all of it is here, or more than is kept. */
  #gathered: (() => void) | undefined;

  constructor(res: ServerResponse, framing: RequestBody, memory: ReplayMemory) {
    this.#req = res.req;
    this.#res = res;
    this.#framing = framing;
    this.#memory = memory;
    // Of a known length, all or nothing: with half of it nothing could be sent again.
    if (framing.kind === 'length' && !this.#reserve(framing.length)) this.#tooLarge = true;
  }

  /** Can be sent from its beginning: nothing of it has been read, or all that was read has been kept. */
  get replayable(): boolean {
    return this.#kept !== undefined;
  }

  /** There is room for all of it, known before a byte of it was read. */
  get surelyReplayable(): boolean {
    return this.#framing.kind === 'length' && !this.#tooLarge;
  }

  get sent(): boolean {
    return this.#sent;
  }

  get awaited(): boolean {
    return !this.#ended && !this.#req.isPaused() && !waitsForInvitation(this.#res);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Sends from the beginning to a new socket, or goes on when the socket of the last call takes data again. */
  sendTo(socket: Socket): void {
    if (this.#socket === socket) {
      if (!this.#ended) this.#req.resume();
      return;
    }
    if (this.#kept === undefined) throw new TypeError('the body cannot be sent again');
    this.#socket = socket;
    this.#sent = false;
    this.#bytes = 0;
    let flowing = true;
    for (const bytes of this.#kept) flowing = this.#write(socket, bytes);
    if (this.#ended) {
      this.#finish(socket);
      return;
    }
    this.#listen();
    if (flowing) this.#req.resume();
  }

  #listen(): void {
    if (this.#listening) return;
    this.#listening = true;
    this.#req.on('data', this.#onData);
    this.#req.once('end', this.#onEnd);
  }

  /**
   * All of it, or `undefined` where it is more than is kept. Sends nothing. Rejects with {@link HopError} when no byte of it
   * comes in `patience` ms.
   */
  async content(patience: number): Promise<Buffer | undefined> {
    if (this.#framing.kind === 'length' && !this.surelyReplayable) return undefined;
    if (!this.#ended && this.#kept !== undefined) {
      inviteBody(this.#res);
      this.#listen();
      await this.#gather(patience);
    }
    return this.#kept === undefined || !this.#ended ? undefined : Buffer.concat(this.#kept);
  }

  #gather(patience: number): Promise<void> {
    // It is the connection's, which has one of its own for when this is over.
    const { timeout = 0 } = this.#req.socket;
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#gathered = undefined;
        this.#req.off('timeout', late).off('close', settle).setTimeout(timeout);
        resolve();
      };
      const late = (): void => {
        reject(new HopError('exchange', HOP_CODES.requestTimeout, 'no more of the request body in time', false));
        settle();
      };
      this.#gathered = settle;
      this.#req.once('close', settle).setTimeout(patience, late).resume();
    });
  }

  stop(): void {
    this.#socket = undefined;
    if (!this.#ended) this.#req.pause();
  }

  /** The response is complete: what is left of the body goes nowhere. */
  discard(): void {
    this.stop();
    this.keepNoMore();
    if (this.#req.readableEnded || this.#req.destroyed) return;
    this.#req.off('data', this.#onData);
    dropRest(this.#res);
  }

  /** It has been taken, or is too large: what is left of it is only passed on. */
  keepNoMore(): void {
    this.#kept = undefined;
    this.#memory.release(this.#reserved);
    this.#reserved = 0;
  }

  readonly #onData = (bytes: Buffer): void => {
    this.#keep(bytes);
    if (this.#gathered !== undefined && this.#kept !== undefined) return;
    this.#gathered?.();
    const socket = this.#socket;
    if (socket === undefined || !this.#write(socket, bytes)) this.#req.pause();
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#gathered?.();
    if (this.#socket !== undefined) this.#finish(this.#socket);
  };

  #keep(bytes: Buffer): void {
    if (this.#kept === undefined) return;
    this.#keptBytes += bytes.length;
    if (this.#tooLarge || !this.#reserve(this.#keptBytes)) this.keepNoMore();
    else this.#kept.push(bytes);
  }

  /** Sees to it that `bytes` in all may be kept. */
  #reserve(bytes: number): boolean {
    const more = bytes - this.#reserved;
    if (more <= 0) return true;
    if (bytes > this.#memory.perBody || !this.#memory.reserve(more)) return false;
    this.#reserved = bytes;
    return true;
  }

  #write(socket: Socket, bytes: Buffer): boolean {
    this.#bytes += bytes.length;
    if (this.#framing.kind !== 'chunked') return socket.write(bytes);
    socket.cork();
    socket.write(`${bytes.length.toString(16)}\r\n`, 'latin1');
    socket.write(bytes);
    const flowing = socket.write('\r\n', 'latin1');
    socket.uncork();
    return flowing;
  }

  #finish(socket: Socket): void {
    this.#sent = true;
    if (this.#framing.kind !== 'chunked') return;
    const trailers = pairsOf(endToEndTrailers(this.#req.rawTrailers)).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`0\r\n${trailers.join('')}\r\n`, 'latin1');
  }
}
