import type { ClientExchange, Leg, Logger, RawHeaders, TunnelEnd } from '@chain407/core';
import { outcomeOf, publishLeg } from '@chain407/core';
import type { SentLeg } from './negotiate.ts';

let exchanges = 0;

/** What the client was given. */
export interface Answer {
  readonly status: number;
  readonly headers: RawHeaders;
}

/**
 * What is known of one exchange: becomes one line of the access log, and the legs that others see. Writes down, decides
 * nothing.
 */
export class ExchangeRecord {
  /** `d1`, `d2` … in this process. */
  readonly id: string;
  readonly at: number = performance.timeOrigin + performance.now();
  readonly #started = performance.now();
  readonly #exchange: ClientExchange;
  readonly #by: string;
  readonly #legs: string[] = [];
  #via: string | undefined;
  #identity: string | undefined;
  #answer: Answer | undefined;
  #error: string | undefined;

  constructor(exchange: ClientExchange, by: string) {
    exchanges += 1;
    this.id = `d${exchanges}`;
    this.#exchange = exchange;
    this.#by = by;
  }

  /** The next hop that was chosen and on whose behalf. */
  goes(via: string, identity: string): void {
    this.#via = via;
    this.#identity = identity;
  }

  /** A leg to the next hop is over; `headers` and `target` as they were sent. */
  sent(leg: SentLeg, to: string, method: string, target: string, headers: () => RawHeaders): void {
    const { result } = leg;
    this.#legs.push('status' in result ? outcomeOf(result.status, result.headers) : result.code);
    publishLeg(() => ({
      ...this.#leg('downstream', to, leg.connection, leg.at, leg.ms, method, target),
      requestHeaders: headers(),
      responseHeaders: 'status' in result ? result.headers : [],
      ...('status' in result ? { status: result.status } : { error: result.code }),
    }));
  }

  answered(answer: Answer): void {
    this.#answer = answer;
    const { req } = this.#exchange;
    publishLeg(() => ({
      ...this.#leg(
        'client',
        'downstream',
        this.#clientId,
        this.at,
        this.#ms,
        req.method ?? '',
        withoutUserinfo(req.url ?? ''),
      ),
      requestHeaders: req.rawHeaders,
      responseHeaders: answer.headers,
      status: answer.status,
    }));
  }

  failed(error: string): void {
    this.#error = error;
  }

  /** The access-log line. The query is left out: it is where secrets of sites live. */
  log(logger: Logger, tunnel?: TunnelEnd): void {
    const { req, kind } = this.#exchange;
    const status = this.#answer?.status;
    logger.info(
      {
        exchange: this.id,
        client: req.socket.remoteAddress,
        method: req.method,
        target: withoutUserinfo(req.url ?? '').replace(/\?.*$/, '?…'),
        ...(kind === 'upgrade' ? { upgrade: true } : {}),
        via: this.#via,
        identity: this.#identity,
        legs: this.#legs,
        status,
        ms: Math.round(this.#ms * 10) / 10,
        ...(tunnel === undefined ? {} : { sent: tunnel.sent, received: tunnel.received, end: tunnel.reason }),
        ...(this.#error === undefined ? {} : { error: this.#error }),
      },
      status === undefined ? 'client gone' : 'exchange',
    );
  }

  get #ms(): number {
    return performance.now() - this.#started;
  }

  get #clientId(): string {
    const { remoteAddress, remotePort } = this.#exchange.req.socket;
    return `${remoteAddress}:${remotePort}`;
  }

  #leg(
    from: string,
    to: string,
    connection: string,
    at: number,
    ms: number,
    method: string,
    target: string,
  ): Omit<Leg, 'requestHeaders' | 'responseHeaders'> {
    return { by: this.#by, from, to, exchange: this.id, connection, at, ms, method, target };
  }
}

function withoutUserinfo(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, '$1');
}
