import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { responseUnderWay } from './client-exchange.ts';

/**
 * Requests of one connection that wait for their turn. With more of them it is not read on, or there would be no end of them; but
 * Node's parser gives all that were in the last read, which may be some 1,900 of the smallest.
 */
const MOST = 64;

/** How Node's server itself stops to read a connection, and its parser with it: `pause()` alone holds no longer than one request. */
type ParsedSocket = Socket & { _paused?: boolean; readonly parser?: { resume(): void } | null };

/** The requests that wait on one connection. */
class Pipeline {
  readonly #socket: ParsedSocket;
  #last: ServerResponse | undefined;
  #waiting = 0;
  #held = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** The last of those that wait. */
  get last(): ServerResponse | undefined {
    return this.#waiting === 0 ? undefined : this.#last;
  }

  /** One more waits; returns the one ahead of it. */
  enter(res: ServerResponse, current: ServerResponse): ServerResponse {
    const ahead = this.#waiting === 0 ? current : (this.#last ?? current);
    this.#last = res;
    this.#waiting += 1;
    if (this.#waiting >= MOST && !this.#held) {
      this.#held = true;
      this.#hold();
      // Node goes on by itself when the client has taken what was written.
      this.#socket.on('drain', this.#hold);
    }
    return ahead;
  }

  leave(): void {
    this.#waiting -= 1;
    if (!this.#held || this.#waiting >= MOST) return;
    this.#held = false;
    const socket = this.#socket.off('drain', this.#hold);
    socket._paused = false;
    socket.parser?.resume();
    socket.resume();
  }

  readonly #hold = (): void => {
    this.#socket._paused = true;
    this.#socket.pause();
  };
}

const pipelines = new WeakMap<Socket, Pipeline>();

/**
 * Calls `begin` when it is the turn of `res`: a pipelined request is not begun before those ahead of it are answered,
 * since they may have effects that it is to come after (RFC 9112 §9.3.2). Never, when the client goes first, or when its
 * connection ends with one of theirs (§9.6): what follows a request that was refused is no request.
 */
export function inTurn(socket: Socket, res: ServerResponse, begin: () => void): void {
  const current = responseUnderWay(socket);
  if (current === undefined || current === res) {
    if (socket.writable) begin();
    return;
  }
  const pipeline = pipelines.get(socket) ?? new Pipeline(socket);
  pipelines.set(socket, pipeline);
  pipeline.enter(res, current).once('close', () => {
    pipeline.leave();
    whenFirst(socket, res, begin);
  });
}

/** The connection ends with the last answer that is due on it now, which says so (RFC 9112 §9.6). */
export function endWithLast(socket: Socket): void {
  const last = pipelines.get(socket)?.last ?? responseUnderWay(socket);
  if (last !== undefined) last.shouldKeepAlive = false;
}

/** One that was refused may still be ahead. */
function whenFirst(socket: Socket, res: ServerResponse, begin: () => void): void {
  const current = responseUnderWay(socket);
  if (current !== undefined && current !== res) current.once('close', () => whenFirst(socket, res, begin));
  else if (socket.writable) begin();
}
