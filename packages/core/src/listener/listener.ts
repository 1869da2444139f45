import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { malformed } from '../http/common-pages.ts';
import { listOf } from '../http/headers.ts';
import { offersInPassing, withoutOffer } from '../http/ignored-upgrade.ts';
import type { RequestKind } from '../http/request-guard.ts';
import type { Explanation } from '../http/synthetic-response.ts';
import type { SecuredAddress } from '../tls/tls-material.ts';
import type { ClientExchange } from './client-exchange.ts';
import {
  afterEarlierResponses,
  awaitsAnswer,
  endStalled,
  passForBusy,
  responseOfNode,
  SocketExchange,
  speaksHttp,
} from './client-exchange.ts';
import type { ConnectionLimits } from './connection-count.ts';
import { ConnectionCount, noRoom } from './connection-count.ts';
import type { ServerLimits } from './http-server.ts';
import { createHttpServer } from './http-server.ts';
import { maxOpenFiles } from './max-open-files.ts';
import { openFiles } from './open-files.ts';
import { endWithLast, inTurn } from './pipeline.ts';
import { SurplusConnections } from './surplus.ts';
import { UnderWay } from './under-way.ts';
import type { Unheard } from './unparsable.ts';
import { UnparsableRequests } from './unparsable.ts';

/** Limits of one listener. Times in milliseconds, sizes in bytes; 0 turns a time limit off. */
export interface ListenerLimits extends ConnectionLimits, ServerLimits {
  /** Fields in a request's head. */
  readonly headerCount: number;
  /** How long {@link Listener.close} waits for exchanges and tunnels. */
  readonly drain: number;
}

export interface ListenerOptions {
  /** Names the tier in pages and `Proxy-Status`. */
  readonly tier: string;
  readonly listen: SecuredAddress;
  readonly limits: ListenerLimits;
  /** Handles one exchange: must answer it; resolves when it is over, a tunnel too, and must not reject. */
  readonly handle: (exchange: ClientExchange) => Promise<void>;
  /** Answers one that the listener does not take; the connection ends with that. */
  readonly refuse: (exchange: ClientExchange, why: Explanation) => void;
  /** A connection ends without a request that could be read. */
  readonly onUnheard: (unheard: Unheard) => void;
}

/** Connections that wait to be accepted: a burst beyond it is dropped, and tries again after a second. Linux's own limit. */
const BACKLOG = 4096;

const DRAINING: Explanation = {
  status: 503,
  error: 'proxy_internal_response',
  details: 'shutting down',
  symptom: 'The proxy did not take this request.',
  cause: 'It is shutting down and only finishes what was under way.',
  remedy: 'Try again in a moment.',
};

/**
 * A listening `node:http` server and the life of its connections: owns accept, limits, the answer to what cannot be
 * parsed, and drain. Knows nothing of authentication or routes.
 */
export class Listener {
  readonly #server: Server;
  readonly #options: ListenerOptions;
  readonly #sockets = new Set<Socket>();
  readonly #unparsable: UnparsableRequests;
  readonly #count: ConnectionCount;
  readonly #underWay = new UnderWay();
  readonly #surplus = new SurplusConnections(maxOpenFiles());
  /** The server's event for a socket that speaks HTTP from now on. */
  readonly #arrival: 'connection' | 'secureConnection';
  #draining = false;

  private constructor(options: ListenerOptions) {
    this.#options = options;
    this.#unparsable = new UnparsableRequests(options.tier, options.onUnheard);
    const {
      listen: { tls },
      limits,
    } = options;
    this.#count = new ConnectionCount(limits);
    this.#arrival = tls === undefined ? 'connection' : 'secureConnection';
    this.#server = createHttpServer(options.listen, limits);
    this.#server.on('timeout', (socket: Socket) => this.#onQuiet(socket));
    // A TLS listener tells of the bare socket first, which counts: a handshake may take as long as a head.
    this.#server.on('connection', (socket: Socket) => this.#onConnection(socket));
    if (tls !== undefined) this.#server.on('secureConnection', (socket: Socket) => this.#adopt(socket));
    this.#server.on('request', (req, res) => this.#onRequest(req, res));
    // Whether the body is wanted is for the next hop to say.
    this.#server.on('checkContinue', (req, res) => this.#onRequest(req, res));
    this.#server.on('connect', (req, socket, head) => this.#onSocket('connect', req, socket, head));
    this.#server.on('upgrade', (req, socket, head) => this.#onUpgrade(req, socket, head));
    this.#server.on('checkExpectation', (req, res) =>
      options.refuse({ kind: 'request', req, res }, unmetExpectation()),
    );
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) =>
      this.#unparsable.onError(error, socket as Socket),
    );
  }

  /** Listens; rejects with Node's error where the address cannot be had. */
  static async start(options: ListenerOptions): Promise<Listener> {
    const listener = new Listener(options);
    const server = listener.#server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      const { host, port } = options.listen;
      server.listen({ host, port, backlog: BACKLOG }, () => {
        server.off('error', reject);
        openFiles.watch();
        server.once('close', () => openFiles.unwatch());
        resolve();
      });
    });
    return listener;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** `http://host:port`, as a client on this machine would write it. */
  get url(): string {
    const { address, family } = this.#server.address() as AddressInfo;
    const host = address === '::' || address === '0.0.0.0' ? '127.0.0.1' : address;
    return `${this.#options.listen.tls === undefined ? 'http' : 'https'}://${family === 'IPv6' && host === address ? `[${host}]` : host}:${this.port}`;
  }

  /** Client connections that are open, tunnels included. */
  get connections(): number {
    return this.#count.open;
  }

  /**
   * Stops accepting, lets what is under way finish within the drain limit, which counts from `since` (Unix time in
   * milliseconds), cuts the rest; resolves with how many those were.
   */
  async close(since = Date.now()): Promise<number> {
    this.#draining = true;
    for (const socket of this.#sockets) endWithLast(socket);
    const closed = new Promise<void>((resolve) => this.#closeIdle(resolve));
    const { drain, headerTimeout } = this.#options.limits;
    let cut = 0;
    const deadline = setTimeout(
      () => {
        cut = this.#count.open;
        this.#cut();
      },
      since + drain - Date.now(),
    );
    // A server that closes no longer looks how long its clients take for a head.
    const heads = headerTimeout === 0 ? undefined : setTimeout(() => this.#cutUnheard(), headerTimeout);
    await closed;
    clearTimeout(deadline);
    clearTimeout(heads);
    this.#cut();
    return cut;
  }

  /** Resolves when all that was begun is over. */
  settled(): Promise<void> {
    return this.#underWay.settled();
  }

  /**
   * Stops listening, and closes what is idle. Node would also close a connection whose client has not taken all of its
   * answer yet, and since version 26 one on which the first request is only about to come.
   */
  #closeIdle(closed: () => void): void {
    const busy = [...this.#sockets].filter(
      (socket) => socket.bytesWritten === 0 || responseOfNode(socket)?.writableEnded === true,
    );
    const restore = busy.map(passForBusy);
    this.#server.close(closed);
    for (const undo of restore) undo();
  }

  /** Cuts everything at once. */
  async kill(): Promise<void> {
    this.#draining = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#cut();
    await closed;
  }

  /** Ends the connections of which no whole head has come. */
  #cutUnheard(): void {
    for (const socket of this.#sockets) if (speaksHttp(socket) && !awaitsAnswer(socket)) socket.destroy();
  }

  #cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Also called for a socket that comes back after a refused CONNECT; then it is known already. */
  #onConnection(socket: Socket): void {
    if (this.#sockets.has(socket)) return;
    this.#adopt(socket);
    const client = socket.remoteAddress ?? '';
    const refusal = this.#count.admit(client);
    if (refusal === undefined) socket.once('close', () => this.#count.release(client));
    else this.#surplus.add(socket, refusal);
  }

  /** Not a byte for as long as a connection may be idle. */
  #onQuiet(socket: Socket): void {
    if (awaitsAnswer(socket)) endStalled(socket);
    // The head of a first request has a limit of its own.
    else if (socket.bytesWritten > 0) socket.destroy();
  }

  /** A client has ended its direction, or gone: which of the two cannot be seen before something is sent to it. */
  #onEnd(socket: Socket): void {
    if (!awaitsAnswer(socket)) return;
    endWithLast(socket);
    socket.setTimeout(this.#options.limits.halfCloseTimeout);
  }

  #adopt(socket: Socket): void {
    if (this.#sockets.has(socket)) return;
    socket.on('error', () => socket.destroy());
    socket.once('end', () => this.#onEnd(socket));
    socket.setNoDelay(true);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #onRequest(req: IncomingMessage, res: ServerResponse): void {
    const refusal = this.#refusal(req, req.socket);
    if (refusal !== undefined) {
      this.#options.refuse({ kind: 'request', req, res }, refusal);
      return;
    }
    // What was announced before the drain began still finishes, pipelined requests too, but the connection does not go on.
    res.on('close', () => {
      if (this.#draining && !awaitsAnswer(req.socket)) req.socket.destroySoon();
    });
    inTurn(req.socket, res, () => this.#handle({ kind: 'request', req, res }));
  }

  /** Why this listener does not take a request. */
  #refusal({ rawHeaders }: IncomingMessage, socket: Socket): Explanation | undefined {
    if (this.#draining) return DRAINING;
    const { headerCount } = this.#options.limits;
    if (rawHeaders.length > 2 * headerCount) return malformed(431, `more than ${headerCount} header fields`);
    return this.#surplus.refusalOf(socket) ?? (openFiles.roomForExchange ? undefined : noRoom());
  }

  #handle(exchange: ClientExchange): void {
    this.#underWay.add(this.#options.handle(exchange));
  }

  #onUpgrade(req: IncomingMessage, duplex: Duplex, head: Buffer): void {
    if (!offersInPassing(req.rawHeaders)) {
      this.#onSocket('upgrade', req, duplex, head);
      return;
    }
    const socket = duplex as Socket;
    afterEarlierResponses(socket, () => this.#handBack(socket, Buffer.concat([withoutOffer(req), head])));
  }

  #onSocket(kind: Exclude<RequestKind, 'request'>, req: IncomingMessage, duplex: Duplex, head: Buffer): void {
    const socket = duplex as Socket;
    const keepAlive = req.httpVersion === '1.1' && !listOf(req.rawHeaders, 'connection').includes('close');
    const begin = (): void => {
      const exchange = new SocketExchange(kind, req, socket, head, keepAlive, (rest) => this.#handBack(socket, rest));
      const refusal = this.#refusal(req, socket);
      if (refusal === undefined) this.#handle(exchange);
      else this.#options.refuse(exchange, refusal);
    };
    afterEarlierResponses(socket, begin);
  }

  /** After a refused CONNECT or Upgrade the connection is an ordinary one again, or NTLM could not work. `rest` comes first. */
  #handBack(socket: Socket, rest: Buffer): void {
    if (this.#draining) {
      socket.destroySoon();
      return;
    }
    if (rest.length > 0) socket.unshift(rest);
    this.#server.emit(this.#arrival, socket);
    socket.resume();
  }
}

/** The only expectation there is is 100-continue (RFC 9110 §10.1.1). */
function unmetExpectation(): Explanation {
  return malformed(417, 'an Expect other than 100-continue');
}
