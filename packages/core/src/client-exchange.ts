import type { IncomingMessage } from 'node:http';
import { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { endLingering } from './http/linger.ts';
import type { RequestKind } from './http/request-guard.ts';
import type { TunnelSide } from './http/tunnel.ts';

/**
 * One request of a client and the means to answer it. Plain requests, CONNECT and Upgrade have the same shape, so one
 * negotiation serves them all: answer through `res`, or, for the latter two, take the socket for a tunnel.
 */
export type ClientExchange =
  | { readonly kind: 'request'; readonly req: IncomingMessage; readonly res: ServerResponse }
  | SocketExchange;

/** Bytes that a client sends before its CONNECT is answered; beyond this we let them wait in the kernel. */
const MAX_EARLY_BYTES = 64 * 1024;

/**
 * A CONNECT or Upgrade. Node has detached the socket from its parser; until the outcome is known, we read it, so as to
 * see the client go, and keep what comes early.
 */
export class SocketExchange {
  readonly kind: Exclude<RequestKind, 'request'>;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly #socket: Socket;
  readonly #early: Buffer[];
  #earlyBytes: number;

  /** `handBack` gets the bytes that came after a refused request, when its response has been sent. */
  constructor(
    kind: SocketExchange['kind'],
    req: IncomingMessage,
    socket: Socket,
    head: Buffer,
    keepAlive: boolean,
    handBack: (rest: Buffer) => void,
  ) {
    this.kind = kind;
    this.req = req;
    this.#socket = socket;
    this.#early = [head];
    this.#earlyBytes = head.length;
    this.res = new ServerResponse(req);
    this.res.shouldKeepAlive = keepAlive;
    this.res.assignSocket(socket);
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('drain', this.#onDrain);
    socket.resume();
    this.res.once('finish', () => {
      this.#release();
      if (this.res.shouldKeepAlive && !isLast(this.res) && !socket.destroyed) handBack(this.#rest());
      else endLingering(socket);
    });
  }

  /** Takes the socket away from HTTP, to carry a tunnel. Whoever takes it writes the response head itself. */
  takeSocket(): TunnelSide {
    this.#release();
    return { socket: this.#socket, head: this.#rest() };
  }

  #release(): void {
    this.#socket.off('data', this.#onData);
    this.#socket.off('end', this.#onEnd);
    this.#socket.off('drain', this.#onDrain);
    this.#socket.pause();
    this.res.detachSocket(this.#socket);
  }

  #rest(): Buffer {
    return this.#early.length === 1 ? (this.#early[0] as Buffer) : Buffer.concat(this.#early);
  }

  readonly #onData = (bytes: Buffer): void => {
    this.#early.push(bytes);
    this.#earlyBytes += bytes.length;
    if (this.#earlyBytes > MAX_EARLY_BYTES) this.#socket.pause();
  };

  // As Node's own server does for a plain request: a client that closes its side has gone.
  readonly #onEnd = (): void => {
    this.#socket.destroy();
  };

  // Node's server does this for responses that it has assigned itself.
  readonly #onDrain = (): void => {
    this.res.emit('drain');
  };
}

/** Its head says `Connection: close`; Node's own server looks here too. */
function isLast(res: ServerResponse & { _last?: boolean }): boolean {
  return res._last === true;
}

/** The response that has the socket now; later (pipelined) ones wait for it. */
export function responseUnderWay(
  socket: Socket & { _httpMessage?: ServerResponse | null },
): ServerResponse | undefined {
  return socket._httpMessage ?? undefined;
}

/**
 * Calls `begin` when no earlier (pipelined) response is under way on the socket; never, when the client goes first, or when
 * its connection ends with such a response (RFC 9112 §9.6).
 */
export function afterEarlierResponses(socket: Socket, begin: () => void): void {
  const current = responseUnderWay(socket);
  if (current !== undefined) current.once('close', () => afterEarlierResponses(socket, begin));
  else if (socket.writable) begin();
}

/**
 * Calls `begin` when it is the turn of `res`: a pipelined request is not begun before those ahead of it are answered,
 * since they may have effects that it is to come after (RFC 9112 §9.3.2). Never, when the client goes first, or when its
 * connection ends with one of theirs (§9.6): what follows a request that was refused is no request.
 */
export function inTurn(socket: Socket, res: ServerResponse, begin: () => void): void {
  const current = responseUnderWay(socket);
  if (current === undefined || current === res) {
    if (socket.writable) begin();
  } else current.once('close', () => inTurn(socket, res, begin));
}
