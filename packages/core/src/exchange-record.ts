import type { RawHeaders } from './http/headers.ts';
import type { TunnelEnd } from './http/tunnel.ts';
import type { Leg } from './legs.ts';
import { outcomeOf, publishLeg } from './legs.ts';
import type { ClientExchange } from './listener/client-exchange.ts';
import type { Logger } from './logger.ts';

/** What was given to the client, or came from the next hop. */
export interface Answer {
  readonly status: number;
  readonly headers: RawHeaders;
}

/** A leg to the next hop that is over: the answer, or the code of the error that came instead. */
export interface SentLeg {
  readonly to: string;
  readonly connection: string;
  /** Unix time and duration, in milliseconds. */
  readonly at: number;
  readonly ms: number;
  readonly method: string;
  readonly target: string;
  /** As they were sent; only called where somebody listens. */
  readonly headers: () => RawHeaders;
  readonly result: Answer | { readonly code: string };
}

type TierName = 'downstream' | 'upstream';

const exchanges = { downstream: 0, upstream: 0 };

/** Milliseconds, Unix time, finer than `Date.now()`: legs of one process can be put in order. */
export const preciseNow = (): number => performance.timeOrigin + performance.now();

/**
 * What is known of one exchange of a tier: becomes one line of the access log, and the legs that others see. Writes
 * down, decides nothing.
 */
export class ExchangeRecord {
  /** `d1`, `d2` … in a downstream, `u1` … in an upstream, counted per process. */
  get id(): string {
    return `${this.#tier.charAt(0)}${this.#number}`;
  }

  readonly at: number = preciseNow();
  readonly #number: number;
  readonly #exchange: ClientExchange;
  readonly #tier: TierName;
  readonly #by: string;
  readonly #results: SentLeg['result'][] = [];
  readonly #notes: Readonly<Record<string, unknown>>[] = [];
  #answer: Answer | undefined;

  /** `by` is the pseudonym of the instance. */
  constructor(exchange: ClientExchange, tier: TierName, by: string) {
    exchanges[tier] += 1;
    this.#number = exchanges[tier];
    this.#exchange = exchange;
    this.#tier = tier;
    this.#by = by;
  }

  /** Facts for the log line: who, which way, what went wrong. Later ones replace earlier ones of the same name. */
  note(facts: Readonly<Record<string, unknown>>): void {
    this.#notes.push(facts);
  }

  /** A leg to the next hop is over. */
  sent(leg: SentLeg): void {
    const { result } = leg;
    this.#results.push(result);
    publishLeg(() => ({
      ...{ by: this.#by, from: this.#tier, exchange: this.id },
      ...{ to: leg.to, connection: leg.connection, at: leg.at, ms: leg.ms, method: leg.method, target: leg.target },
      requestHeaders: leg.headers(),
      responseHeaders: 'status' in result ? result.headers : [],
      ...('status' in result ? { status: result.status } : { error: result.code }),
    }));
  }

  /** The client has its answer. */
  answered(answer: Answer): void {
    this.#answer = answer;
    const { req } = this.#exchange;
    publishLeg(
      (): Leg => ({
        ...{ by: this.#by, from: 'client', to: this.#tier, exchange: this.id, connection: this.#client },
        ...{
          at: this.at,
          ms: preciseNow() - this.at,
          method: req.method ?? '',
          target: withoutUserinfo(req.url ?? ''),
        },
        requestHeaders: req.rawHeaders,
        responseHeaders: answer.headers,
        status: answer.status,
      }),
    );
  }

  /** The access-log line. The query is left out: it is where secrets of sites live. */
  log(logger: Logger, tunnel?: TunnelEnd): void {
    if (!logger.isLevelEnabled('info')) return;
    const { req, kind } = this.#exchange;
    const status = this.#answer?.status;
    logger.info(
      {
        exchange: this.id,
        client: req.socket.remoteAddress,
        method: req.method,
        target: withoutUserinfo(req.url ?? '').replace(/\?.*$/, '?…'),
        ...(kind === 'upgrade' ? { upgrade: true } : {}),
        ...Object.assign({}, ...this.#notes),
        legs: this.#results.map((result) =>
          'status' in result ? outcomeOf(result.status, result.headers) : result.code,
        ),
        status,
        ms: Math.round((preciseNow() - this.at) * 10) / 10,
        ...(tunnel === undefined ? {} : { sent: tunnel.sent, received: tunnel.received, end: tunnel.reason }),
      },
      status === undefined ? 'client gone' : 'exchange',
    );
  }

  get #client(): string {
    const { remoteAddress, remotePort } = this.#exchange.req.socket;
    return `${remoteAddress}:${remotePort}`;
  }
}

/** Also where it is no legal part of the target, as in `CONNECT user:password@host:443`. */
function withoutUserinfo(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)?[^/?#]*@/i, '$1');
}
