import type { IncomingMessage } from 'node:http';
import { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { RawHeaders } from '../http/headers.ts';
import { endLingering } from '../http/linger.ts';
import type { RequestKind } from '../http/request-guard.ts';
import type { TunnelSide } from '../http/tunnel.ts';

/**
 * One request of a client and the means to answer it. Plain requests, CONNECT and Upgrade have the same shape, so one
 * negotiation serves them all: answer through `res`, or, for the latter two, take the socket for a tunnel.
 */
export type ClientExchange =
  | { readonly kind: 'request'; readonly req: IncomingMessage; readonly res: ServerResponse }
  | SocketExchange;

/** Calls `listener` when the client goes before it has its answer, or its tunnel. */
export function onGone(exchange: ClientExchange, listener: () => void): void {
  if (exchange.kind !== 'request') {
    exchange.onGone(listener);
    return;
  }
  const { res } = exchange;
  res.on('close', () => {
    if (!res.writableFinished) listener();
  });
}

/** Bytes that a client sends before its CONNECT is answered; beyond this we let them wait in the kernel. */
const MAX_EARLY_BYTES = 64 * 1024;

/** Sockets that have left Node's parser, by the request that they wait for an answer to. */
const answering = new WeakMap<Socket, SocketExchange>();

/**
 * A CONNECT or Upgrade. Node has detached the socket from its parser; until the outcome is known, we read it, so as to
 * see the client go, and keep what comes early.
 */
export class SocketExchange {
  readonly kind: Exclude<RequestKind, 'request'>;
  readonly req: IncomingMessage;
  readonly #socket: Socket;
  readonly #keepAlive: boolean;
  readonly #handBack: (rest: Buffer) => void;
  #res: ServerResponse | undefined;
  #onGone: (() => void) | undefined;
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
    this.#keepAlive = keepAlive;
    this.#handBack = handBack;
    socket.on('data', this.#onData);
    socket.on('timeout', this.#onTimeout);
    socket.on('close', this.#onClose);
    answering.set(socket, this);
    socket.resume();
  }

  /** For an answer that is no tunnel; made when it is first asked for. */
  get res(): ServerResponse {
    this.#res ??= this.#respond();
    return this.#res;
  }

  /** The fields that have been set for whatever answer there will be. */
  get headersSet(): RawHeaders {
    const set = Object.entries(this.#res?.getHeaders() ?? {});
    return set.flatMap(([name, value]) => [value ?? []].flat().flatMap((one) => [name, String(one)]));
  }

  /** Calls `listener` (the last one alone) when the client goes before it has its answer, or its tunnel. */
  onGone(listener: () => void): void {
    this.#onGone = listener;
  }

  #respond(): ServerResponse {
    const socket = this.#socket;
    const res = new ServerResponse(this.req);
    res.shouldKeepAlive = this.#keepAlive;
    res.assignSocket(socket);
    // This, and `close`, is what Node's server does for responses that it has assigned itself.
    socket.on('drain', this.#onDrain);
    res.once('finish', () => {
      this.#release();
      process.nextTick(() => res.emit('close'));
      if (res.shouldKeepAlive && !isLast(res) && !socket.readableEnded && !socket.destroyed)
        this.#handBack(this.#rest());
      else endLingering(socket);
    });
    return res;
  }

  /** Takes the socket away from HTTP, to carry a tunnel. Whoever takes it writes the response head itself. */
  takeSocket(): TunnelSide {
    this.#release();
    return { socket: this.#socket, head: this.#rest() };
  }

  #release(): void {
    const socket = this.#socket;
    socket.off('data', this.#onData);
    socket.off('timeout', this.#onTimeout);
    socket.off('close', this.#onClose);
    answering.delete(socket);
    socket.pause();
    if (this.#res === undefined) return;
    socket.off('drain', this.#onDrain);
    this.#res.detachSocket(socket);
  }

  #rest(): Buffer {
    return this.#early.length === 1 ? (this.#early[0] as Buffer) : Buffer.concat(this.#early);
  }

  readonly #onData = (bytes: Buffer): void => {
    this.#early.push(bytes);
    this.#earlyBytes += bytes.length;
    if (this.#earlyBytes > MAX_EARLY_BYTES) this.#socket.pause();
  };

  readonly #onClose = (): void => this.#onGone?.();
  readonly #onDrain = (): void => void this.#res?.emit('drain');
  readonly #onTimeout = (): void => endStalled(this.#socket);
}

/** Its head says `Connection: close`; Node's own server looks here too. */
function isLast(res: ServerResponse & { _last?: boolean }): boolean {
  return res._last === true;
}

/** Where Node's server keeps the response that it has given a socket to. */
interface Served {
  _httpMessage?: ServerResponse | null;
}

/** The response that Node's server has given the socket to. */
export function responseOfNode(socket: Socket & Served): ServerResponse | undefined {
  return socket._httpMessage ?? undefined;
}

/** Until what this returns is called, Node takes the socket for one that waits for its response. */
export function passForBusy(socket: Socket & Served): () => void {
  const { _httpMessage = null } = socket;
  socket._httpMessage = { finished: false } as ServerResponse;
  return () => {
    socket._httpMessage = _httpMessage;
  };
}

/** A request of this socket has no whole answer, and no tunnel, yet. */
export function awaitsAnswer(socket: Socket): boolean {
  return responseOfNode(socket) !== undefined || answering.has(socket);
}

/** Node reads requests from it: it is no tunnel. */
export function speaksHttp(socket: Socket & { readonly parser?: object | null }): boolean {
  return socket.parser !== undefined && socket.parser !== null;
}

/** The response that has the socket now; later (pipelined) ones wait for it. */
export function responseUnderWay(socket: Socket): ServerResponse | undefined {
  return responseOfNode(socket) ?? answering.get(socket)?.res;
}

/**
 * Ends a connection on which nothing has happened for a time limit, where that is its client's doing: what it is to be
 * sent waits, or it has ended its direction and may well have gone. Else there is nothing for it yet: it is the next hop that
 * is late.
 */
export function endStalled(socket: Socket): void {
  if (socket.writableLength > 0 || socket.readableEnded) socket.destroy();
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
