import type { Socket } from 'node:net';
import type { ResponseHead, TunnelSide } from '@chain407/core';
import { asStream, MessageError, ResponseReader, takeBytes } from '@chain407/core';
import type { Cancellation } from './cancellation.ts';
import type { HopAddress } from './dial.ts';
import { dial } from './dial.ts';
import { HOP_CODES, HopError } from './hop-error.ts';
import type { BodyConsumer, OutboundRequest } from './outbound-request.ts';

/** Where a connection goes, and its limits: times in milliseconds, sizes in bytes. */
export interface ConnectionOptions extends HopAddress {
  readonly headerSize: number;
  /** Fields in a response's head. */
  readonly headerCount: number;
  /** Without a byte in either direction while a response is awaited. */
  readonly responseTimeout: number;
}

interface Exchange {
  readonly request: OutboundRequest;
  readonly reader: ResponseReader;
  readonly resolve: (head: ResponseHead) => void;
  readonly reject: (error: HopError) => void;
  /** A byte of the response has come. */
  begun: boolean;
  head: ResponseHead | undefined;
  consumer: BodyConsumer | undefined;
  held: boolean;
}

/** A refused body of this size, in bytes, is taken to have been read. */
const SURELY_READ = 16 * 1024;

/** What ends before its head is complete is a closed connection, not a broken message. */
const MESSAGE_CODES: { readonly [C in MessageError['code']]?: string } = {
  truncated: HOP_CODES.closed,
  'head-too-large': HOP_CODES.headTooLarge,
};

/** The first byte of what a server of TLS says to a request without it (RFC 8446 §5.1). */
const TLS_ALERT = 0x15;

let connections = 0;

/**
 * One connection to the next hop, one exchange at a time. Owns the socket, the framing of responses and whether the
 * connection may serve again; knows nothing of schemes, pools or clients.
 */
export class UpstreamConnection {
  /** `p1`, `p2` … in this process. */
  readonly id: string;
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  #exchange: Exchange | undefined;
  #reusable = true;
  /** Responses that were read to their end. */
  #served = 0;
  #onIdleClose: (() => void) | undefined;

  private constructor(socket: Socket, options: ConnectionOptions) {
    connections += 1;
    this.id = `p${connections}`;
    this.#socket = socket;
    this.#options = options;
    if (!takeBytes(socket, this.#take)) socket.on('data', this.#onData);
    socket.on('error', this.#onError);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onClose);
    socket.on('timeout', this.#onTimeout);
    socket.on('drain', this.#onDrain);
  }

  /** Connects; rejects with {@link HopError}. `cancellation` gives up. */
  static async connect(options: ConnectionOptions, cancellation: Cancellation): Promise<UpstreamConnection> {
    return new UpstreamConnection(await dial(options, cancellation), options);
  }

  /** Speaks HTTP over a socket that is there already: inside a tunnel. */
  static over({ socket, head }: TunnelSide, options: ConnectionOptions): UpstreamConnection {
    socket.on('error', () => socket.destroy());
    if (head.length > 0) socket.unshift(head);
    const connection = new UpstreamConnection(socket, options);
    socket.resume();
    return connection;
  }

  /** Open, idle, and nothing has happened on it that would make another exchange unsafe. */
  get reusable(): boolean {
    return this.#reusable && this.#exchange === undefined && !this.#socket.destroyed && this.#socket.writable;
  }

  /** It has served before: a failure without a response may only mean that the peer had just closed it. */
  get used(): boolean {
    return this.#served > 0;
  }

  /** Sends a request; resolves with the head of its final response, rejects with {@link HopError}. */
  send(request: OutboundRequest): Promise<ResponseHead> {
    return new Promise((resolve, reject) => {
      if (!this.reusable) {
        reject(new HopError('exchange', HOP_CODES.closed, 'the connection was closed', true));
        return;
      }
      const { headerSize, headerCount } = this.#options;
      const reader = new ResponseReader(request.context, headerSize, headerCount);
      this.#exchange = {
        request,
        reader,
        resolve,
        reject,
        begun: false,
        head: undefined,
        consumer: undefined,
        held: false,
      };
      this.#socket.setTimeout(this.#options.responseTimeout);
      this.#socket.write(request.head, 'latin1');
      request.body?.sendTo(this.#socket);
    });
  }

  /** Gives the body of the response that `send` resolved with to `consumer`. Call once per response. */
  consume(consumer: BodyConsumer): void {
    const exchange = this.#exchange;
    if (exchange === undefined) {
      consumer.fail(new HopError('exchange', HOP_CODES.closed, 'the connection was closed', false));
      return;
    }
    exchange.consumer = consumer;
    this.resume();
  }

  /** The consumer takes data again. */
  resume(): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    const wasHeld = exchange.held;
    exchange.held = false;
    this.#drive(exchange);
    if (wasHeld && !exchange.held) this.#socket.resume();
  }

  /** Waits for the next exchange: closes itself after `idleTimeout` ms. `onClose`: it is of no more use. */
  idle(idleTimeout: number, onClose: () => void): void {
    this.#onIdleClose = onClose;
    this.#socket.setTimeout(idleTimeout);
  }

  /** Ends {@link idle}. */
  wake(): void {
    this.#onIdleClose = undefined;
  }

  /** After a `tunnel` head: gives the socket away, with the bytes that came behind the head. */
  detach(): TunnelSide {
    const head = this.#exchange?.reader.rest ?? Buffer.alloc(0);
    this.#exchange = undefined;
    this.#reusable = false;
    for (const [event, listener] of [
      ['data', this.#onData],
      ['error', this.#onError],
      ['end', this.#onEnd],
      ['close', this.#onClose],
      ['timeout', this.#onTimeout],
      ['drain', this.#onDrain],
    ] as const) {
      this.#socket.off(event, listener);
    }
    if (!asStream(this.#socket)) this.#socket.pause();
    return { socket: this.#socket, head };
  }

  destroy(): void {
    this.#socket.destroy();
  }

  readonly #onData = (bytes: Buffer): void => {
    const exchange = this.#exchange;
    if (exchange === undefined) {
      // A peer that speaks unasked (some send 408 before they close) is not to be trusted with another request.
      this.destroy();
      return;
    }
    if (!exchange.begun && bytes[0] === TLS_ALERT) {
      this.#fail(HOP_CODES.tlsInstead, 'an alert of TLS in place of a response');
      this.destroy();
      return;
    }
    exchange.begun = true;
    exchange.reader.push(bytes);
    if (exchange.head === undefined || exchange.consumer !== undefined) this.#drive(exchange);
    else this.#hold(exchange);
  };

  readonly #take = (bytes: Buffer): boolean => {
    this.#onData(bytes);
    return this.#exchange?.held !== true;
  };

  readonly #onEnd = (): void => {
    this.#reusable = false;
    const exchange = this.#exchange;
    if (exchange === undefined) {
      this.destroy();
      return;
    }
    exchange.reader.close();
    if (exchange.head === undefined || exchange.consumer !== undefined) this.#drive(exchange);
  };

  /** TLS 1.3 has no way to refuse a client's certificate, or the lack of one, before the connection is in use. */
  readonly #onError = ({ code = '', message }: NodeJS.ErrnoException): void => {
    if (code.startsWith('ERR_SSL_')) this.#fail(code, message);
  };

  readonly #onClose = (): void => {
    this.#reusable = false;
    this.#fail(HOP_CODES.closed, 'the connection was closed');
    this.#onIdleClose?.();
  };

  readonly #onTimeout = (): void => {
    // A client that does not take its response is not the peer's fault; its own limits end it. Node's timer fires once.
    if (this.#exchange?.held === true) {
      this.#socket.setTimeout(this.#options.responseTimeout);
      return;
    }
    if (this.#exchange?.request.body?.awaited === true)
      this.#fail(HOP_CODES.requestTimeout, 'no more of the request body in time');
    else this.#fail(HOP_CODES.responseTimeout, 'no response in time');
    this.destroy();
  };

  readonly #onDrain = (): void => {
    this.#exchange?.request.body?.sendTo(this.#socket);
  };

  #hold(exchange: Exchange): void {
    exchange.held = true;
    this.#socket.pause();
  }

  /** Reads on until more data is needed, the consumer has enough, or the response has ended. */
  #drive(exchange: Exchange): void {
    try {
      while (!exchange.held && this.#exchange === exchange && this.#step(exchange));
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      this.#reusable = false;
      this.#fail(MESSAGE_CODES[error.code] ?? HOP_CODES.malformed, error.message);
      this.destroy();
    }
  }

  #step(exchange: Exchange): boolean {
    if (exchange.head !== undefined && exchange.consumer === undefined) return false;
    const event = exchange.reader.next();
    switch (event.kind) {
      case 'need-data':
        return false;
      case 'informational':
        exchange.request.onInformational?.(event.head);
        return true;
      case 'head':
        exchange.head = event.head;
        exchange.resolve(event.head);
        return event.head.framing.kind !== 'tunnel';
      case 'data':
        if (exchange.consumer?.data(event.data) === false) this.#hold(exchange);
        return true;
      case 'end':
        this.#end(exchange, event.trailers);
        return false;
      default:
        return event satisfies never;
    }
  }

  #end(exchange: Exchange, trailers: readonly string[]): void {
    const { body } = exchange.request;
    const excess = exchange.reader.rest.length > 0;
    if (excess || exchange.head?.persistent !== true || mayBeUnread(exchange)) this.#reusable = false;
    body?.stop();
    this.#exchange = undefined;
    this.#served += 1;
    if (!this.#reusable) this.destroy();
    exchange.consumer?.end(trailers);
  }

  #fail(code: string, message: string): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    this.#exchange = undefined;
    this.#reusable = false;
    exchange.request.body?.stop();
    const error = new HopError('exchange', code, message, !exchange.begun);
    if (exchange.head === undefined) exchange.reject(error);
    else exchange.consumer?.fail(error);
  }
}

/**
 * An upload that has not ended would be read as the next request. And one that has may still lie unread: Squid 5.7
 * refuses a request before it has read its body, says keep-alive, and takes no more than 64 KiB of it, ever.
 */
function mayBeUnread({ head, request: { body } }: Exchange): boolean {
  if (body === undefined) return false;
  return !body.sent || (head !== undefined && head.status >= 400 && body.bytes > SURELY_READ);
}
