import type { Socket } from 'node:net';
import { FewAtATime } from '../few-at-a-time.ts';
import { malformed } from '../http/common-pages.ts';
import { formatHead } from '../http/headers.ts';
import { endLingering } from '../http/linger.ts';
import type { Explanation } from '../http/synthetic-response.ts';
import { synthesize } from '../http/synthetic-response.ts';
import { responseUnderWay } from './client-exchange.ts';

const TOO_LARGE = malformed(431, 'the request head is too large');
const INVALID = malformed(400, 'the request is not valid HTTP/1');
const LATE = malformed(408, 'the request head did not come in time');

/** What is known of a client that sent no request that could be read. */
export interface Unheard {
  /** Its address. */
  readonly client: string;
  /** The answer that it got. */
  readonly status?: number;
  readonly why: string;
}

/** Answers what Node's parser gave up on: its own answers explain nothing. Each is the last on its connection. */
export class UnparsableRequests {
  readonly #tier: string;
  readonly #onUnheard: (unheard: Unheard) => void;
  readonly #met = new WeakSet<Socket>();
  /** Connections whose head did not come in time: Node looks once in a while, and a storm's are late all together. */
  readonly #late = new FewAtATime<Socket>((socket) => this.#answer(socket, LATE));

  /** `tier` stands in pages and `Proxy-Status`. */
  constructor(tier: string, onUnheard: (unheard: Unheard) => void) {
    this.#tier = tier;
    this.#onUnheard = onUnheard;
  }

  /** For `clientError`. */
  onError({ code = '' }: NodeJS.ErrnoException, socket: Socket): void {
    const late = code === 'ERR_HTTP_REQUEST_TIMEOUT';
    if (!late && !code.startsWith('HPE_')) {
      if (code.startsWith('ERR_SSL_')) this.#onUnheard({ client: clientOf(socket), why: noTls(code) });
      socket.destroy();
      return;
    }
    // Node's parser says it again for every segment that follows.
    if (this.#met.has(socket)) return;
    this.#met.add(socket);
    if (late) this.#late.add(socket);
    else this.#answer(socket, code === 'HPE_HEADER_OVERFLOW' ? TOO_LARGE : INVALID);
  }

  #answer(socket: Socket, explanation: Explanation): void {
    const current = responseUnderWay(socket);
    // A later request is at fault: the answers before its own come first.
    if (current?.req.complete) {
      current.once('close', () => this.#answer(socket, explanation));
      return;
    }
    // Nothing may be written into the middle of another response.
    if (!socket.writable || current?.headersSent) {
      socket.destroy();
      return;
    }
    const { status, reason, headers, body } = synthesize(this.#tier, explanation, undefined);
    this.#onUnheard({ client: clientOf(socket), status, why: explanation.details });
    const text = `${formatHead(`HTTP/1.1 ${status} ${reason}`, ['Connection', 'close', ...headers])}${body}`;
    // Whoever handles the request whose body is at fault must see its client go.
    if (current === undefined) endLingering(socket, text);
    else socket.end(text, () => socket.destroy());
  }
}

const clientOf = ({ remoteAddress = '' }: Socket): string => remoteAddress;

/** Why there is no TLS with a client, from OpenSSL's reason. */
const noTls = (code: string): string =>
  code === 'ERR_SSL_HTTP_REQUEST'
    ? 'HTTP without TLS: this listener has tls'
    : `no TLS: ${code.slice('ERR_SSL_'.length).toLowerCase().replaceAll('_', ' ')}`;
