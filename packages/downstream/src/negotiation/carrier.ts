import type { Credentials, MaybePromise, SchemeName } from '@chain407/auth';
import { isConnectionBound, isPromise } from '@chain407/auth';
import type { Informational, ResponseHead } from '@chain407/core';
import { preciseNow } from '@chain407/core';
import type { Cancellation } from '../hop/cancellation.ts';
import type { ConnectionSource } from '../hop/connection-source.ts';
import { HOP_CODES, HopError } from '../hop/hop-error.ts';
import { HopResponse } from '../hop/hop-response.ts';
import { UpstreamConnection } from '../hop/upstream-connection.ts';
import type { Upstream } from '../upstream.ts';
import type { ReplayBody } from './replay-body.ts';

/** What is carried, leg by leg, to one upstream. */
export interface Freight {
  readonly upstream: Upstream;
  readonly method: string;
  readonly upgrade: boolean;
  /** May be sent again on a new connection when the old one was found dead (RFC 9110 §9.2.2). */
  readonly idempotent: boolean;
  readonly body: ReplayBody | undefined;
  /** The head with these credentials of ours, or with none of ours; `standIn`: of the HEAD that goes before a body. */
  head(credentials: Credentials | undefined, standIn: boolean): string;
  /** Connections for this identity once `scheme` is in use, or before. */
  source(scheme: SchemeName | undefined): ConnectionSource;
  readonly cancellation: Cancellation;
  onLeg(leg: CarriedLeg): void;
  /** A 1xx, on the leg that carries the request itself. */
  onInformational(head: Informational): void;
}

/** What was sent on which connection, and what came back: a head, or the reason why none came. */
export interface CarriedLeg {
  readonly connection: string;
  readonly credentials: Credentials | undefined;
  readonly standIn: boolean;
  readonly at: number;
  readonly ms: number;
  readonly result: ResponseHead | HopError;
}

export interface LegOrder {
  readonly credentials: Credentials | undefined;
  readonly connection: 'any' | 'same' | 'fresh';
  /** A HEAD without the body goes in place of the request. */
  readonly standIn: boolean;
  /** It counts: it is never sent twice, so it does not go where the peer may have closed without saying so. */
  readonly once: boolean;
}

/** Takes the legs of one exchange over connections. Owns which connection serves, and whom it belongs to afterwards. */
export class Carrier {
  readonly #freight: Freight;
  #connection: UpstreamConnection | undefined;
  /** The scheme whose credentials the connection has carried. */
  #scheme: SchemeName | undefined;
  /** {@link standing} found it, and it has not answered yet. */
  #unproven = false;
  #loggedIn = false;
  /** What the last leg brought. */
  #last: HopResponse | undefined;

  constructor(freight: Freight) {
    this.#freight = freight;
  }

  /** Takes a connection that this scheme has logged in, where one is at rest. */
  standing(scheme: SchemeName): boolean {
    const connection = this.#current() ?? this.#freight.source(scheme).take();
    if (connection === undefined) return false;
    this.#connection = connection;
    this.#scheme = scheme;
    this.#unproven = true;
    this.#loggedIn = true;
    this.#freight.cancellation.hold(connection);
    return true;
  }

  /** The connection-bound scheme of the last leg has come to its end: the connection is ours from now on. */
  loggedIn(): void {
    this.#loggedIn = true;
  }

  /** Nobody will take the response over, and with it the connection. */
  abandon(): void {
    this.#connection?.destroy();
  }

  /** The answer, or `lost` where the connection that {@link standing} took had died before. */
  async send(order: LegOrder): Promise<HopResponse | 'lost'> {
    const { credentials, connection, once } = order;
    const standing = this.#unproven;
    this.#unproven = false;
    const connected = this.#connect(order, connection === 'any' && once ? 'fresh' : connection);
    let reused = isPromise(connected) ? await connected : connected;
    for (;;) {
      try {
        return await this.#leg(order);
      } catch (error) {
        if (!(error instanceof HopError) || !reused || !this.#mayRepeat(error, order)) throw error;
        if (standing && credentials === undefined) return 'lost';
        reused = await this.#connect(order, 'fresh');
      }
    }
  }

  #current(): UpstreamConnection | undefined {
    return this.#connection?.reusable === true ? this.#connection : undefined;
  }

  /** Sees to a connection as it is wanted; true where it has served before. */
  #connect({ credentials, standIn }: LegOrder, wanted: LegOrder['connection']): MaybePromise<boolean> {
    const { cancellation, body } = this.#freight;
    if (!standIn && body?.replayable === false) {
      throw new HopError('exchange', HOP_CODES.notReplayable, 'the request body is too large to be sent again', false);
    }
    const scheme = credentials?.scheme;
    const current = this.#current();
    if (wanted === 'same' && current === undefined) {
      const closed = new HopError('exchange', HOP_CODES.closed, `closed in the middle of ${scheme}`, false);
      throw this.#last?.failure ?? closed;
    }
    if (wanted === 'fresh') {
      this.#connection?.destroy();
      this.#connection = undefined;
      this.#loggedIn = false;
    } else {
      this.#connection = current ?? this.#freight.source(scheme).take();
    }
    this.#scheme = scheme ?? this.#scheme;
    if (this.#connection === undefined) return this.#connectAnew();
    if (cancellation.cancelled) throw gone();
    cancellation.hold(this.#connection);
    return this.#connection.used;
  }

  async #connectAnew(): Promise<false> {
    const { upstream, cancellation } = this.#freight;
    this.#connection = await UpstreamConnection.connect(upstream.connection, cancellation);
    if (cancellation.cancelled) throw gone();
    cancellation.hold(this.#connection);
    return false;
  }

  #leg({ credentials, standIn }: LegOrder): Promise<HopResponse> {
    const freight = this.#freight;
    const { upgrade, cancellation } = freight;
    const connection = this.#connection as UpstreamConnection;
    const method = standIn ? 'HEAD' : freight.method;
    const at = preciseNow();
    const report = (result: ResponseHead | HopError): void =>
      freight.onLeg({ connection: connection.id, credentials, standIn, at, ms: preciseNow() - at, result });
    const request = {
      context: { method, upgrade },
      head: freight.head(credentials, standIn),
      body: standIn ? undefined : freight.body,
      onInformational: (head: Informational) => {
        if (!standIn) freight.onInformational(head);
      },
    };
    const answered = (head: ResponseHead): HopResponse => {
      report(head);
      this.#last = new HopResponse(head, connection, () => {
        cancellation.release();
        this.#release(connection);
      });
      return this.#last;
    };
    return connection.send(request).then(answered, (error: unknown) => {
      if (error instanceof HopError) report(error);
      throw error;
    });
  }

  /** A handshake that did not come to its end leaves a connection that is nobody's, and no good to anybody. */
  #release(connection: UpstreamConnection): void {
    const scheme = this.#scheme;
    if (scheme !== undefined && isConnectionBound(scheme) && !this.#loggedIn) connection.destroy();
    else this.#freight.source(scheme).put(connection);
  }

  #mayRepeat(error: HopError, { standIn, once }: LegOrder): boolean {
    const { idempotent, body } = this.#freight;
    // Whoever closed may have read the credentials: while they are not known to be good, that was the one attempt.
    if (!error.unanswered || once) return false;
    // Who only takes long may still be at it: that the connection was closed is what allows another try (RFC 9112 §9.3.1).
    if (error.code === HOP_CODES.responseTimeout) return false;
    return standIn || (idempotent && body?.replayable !== false);
  }
}

export const gone = (): HopError => new HopError('exchange', HOP_CODES.closed, 'the client has gone', false);
