import type { MaybePromise } from '@chain407/auth';
import type {
  Answer,
  ClientExchange,
  ExchangeRecord,
  Explanation,
  RequestBody,
  RequestTarget,
  TunnelEnd,
  TunnelOptions,
} from '@chain407/core';
import { answerOurselves, established, onGone, openTunnel, valuesOf } from '@chain407/core';
import { deliver } from './deliver.ts';
import type { Failover } from './failover.ts';
import { Cancellation } from './hop/cancellation.ts';
import { HOP_CODES, HopError } from './hop/hop-error.ts';
import type { HopResponse } from './hop/hop-response.ts';
import type { Pins } from './hop/pins.ts';
import type { Pool } from './hop/pool.ts';
import { UpstreamConnection } from './hop/upstream-connection.ts';
import type { Identity, RejectedPolicy } from './identity.ts';
import { chooseIdentity, nameIdentity } from './identity.ts';
import type { AttemptContext, Hop } from './negotiation/attempt.ts';
import { Attempt } from './negotiation/attempt.ts';
import type { Negotiated, Refusal } from './negotiation/negotiate.ts';
import { negotiate } from './negotiation/negotiate.ts';
import { ReplayBody } from './negotiation/replay-body.ts';
import type { ReplayMemory } from './negotiation/replay-memory.ts';
import type { Spares } from './negotiation/spares.ts';
import { originAsked, refusalPage } from './pages.ts';
import { rescue } from './rescue.ts';
import type { Route } from './routes.ts';
import type { Upstream } from './upstream.ts';

/** What all exchanges of one downstream share. */
export interface Runtime {
  readonly tier: string;
  /** The `Via` pseudonym of this instance. */
  readonly pseudonym: string;
  readonly rejected: RejectedPolicy;
  readonly replayMemory: ReplayMemory;
  readonly tunnel: TunnelOptions;
  readonly pool: Pool;
  readonly pins: Pins;
  readonly failover: Failover;
  readonly spares: Spares;
}

/**
 * One exchange on its way: hop → identity → negotiation → what the client gets. Owns the order of these; each of them
 * is a file of its own.
 */
export class Exchange {
  readonly #runtime: Runtime;
  readonly #client: ClientExchange;
  readonly #record: ExchangeRecord;
  readonly #body: ReplayBody | undefined;
  readonly #cancellation = new Cancellation();
  readonly #context: AttemptContext;

  constructor(
    runtime: Runtime,
    client: ClientExchange,
    record: ExchangeRecord,
    target: RequestTarget,
    framing: RequestBody,
  ) {
    this.#runtime = runtime;
    this.#client = client;
    this.#record = record;
    this.#body = framing.kind === 'none' ? undefined : new ReplayBody(client.res, framing, runtime.replayMemory);
    const { pseudonym, pool, pins } = runtime;
    const shared = { pseudonym, pool, pins, cancellation: this.#cancellation };
    this.#context = { client, record, target, framing, body: this.#body, ...shared };
    onGone(client, () => this.#cancellation.cancel());
  }

  /** Tries the hops in order until one can be reached, and answers the client; says how a tunnel ended. */
  async run(hops: readonly Hop[], mode: Route['identity']): Promise<TunnelEnd | undefined> {
    try {
      for (const [i, hop] of hops.entries()) {
        const identity = this.#identity(hop, mode);
        this.#record.note({ via: hop.direct ? 'direct' : hop.upstream.name, identity: nameIdentity(identity) });
        const outcome = await negotiate(new Attempt(this.#context, hop, identity));
        const unreachable = outcome.kind === 'failed' && outcome.error.unreachable;
        if (!hop.direct) this.#tellFailover(hop.upstream, unreachable, outcome);
        if (!unreachable || i === hops.length - 1) return await this.#conclude(hop, identity, outcome);
      }
      return undefined;
    } finally {
      this.#body?.discard();
    }
  }

  /** CONNECT on a direct route: the origin itself is the other end, and is asked nothing. */
  async tunnel({ upstream }: Hop): Promise<TunnelEnd | undefined> {
    const client = this.#client;
    if (client.kind === 'request') throw new TypeError('a plain request has no tunnel');
    this.#record.note({ via: 'direct', identity: 'none' });
    try {
      const connection = await UpstreamConnection.connect(upstream.connection, this.#cancellation);
      const { pseudonym, tunnel } = this.#runtime;
      this.#cancellation.release();
      return await openTunnel(client, connection.detach(), established(pseudonym), tunnel, this.#onAnswer);
    } catch (error) {
      if (!(error instanceof HopError)) throw error;
      if (!this.#cancellation.cancelled) this.#fail(error, upstream.name);
      return undefined;
    }
  }

  /** Only what was answered was reached: not where the client has gone, or our credentials are held back. */
  #tellFailover(upstream: Upstream, unreachable: boolean, outcome: Negotiated): void {
    const { failover } = this.#runtime;
    if (unreachable) failover.failed(upstream);
    else if ('response' in outcome) failover.reached(upstream);
  }

  #identity({ upstream, direct }: Hop, mode: Route['identity']): Identity {
    if (direct) return { kind: 'none' };
    const [line] = valuesOf(this.#client.req.rawHeaders, 'proxy-authorization');
    const { pins, rejected } = this.#runtime;
    const pinned = pins.has(this.#client.req.socket, upstream.name);
    return chooseIdentity({ mode, rejected, line, pinned, credential: upstream.credential });
  }

  #conclude(hop: Hop, identity: Identity, outcome: Negotiated): MaybePromise<TunnelEnd | undefined> {
    switch (outcome.kind) {
      case 'cancelled':
        return undefined;
      case 'failed':
        this.#fail(outcome.error, hop.upstream.name);
        return undefined;
      case 'refused':
        return this.#refuse(hop, identity, outcome.refusal, outcome.response);
      case 'response':
        this.#endWith(hop, outcome.response);
        this.#refill(hop, identity, outcome.response);
        return this.#respond(hop, identity, outcome.response);
      default:
        return outcome satisfies never;
    }
  }

  /** A client whose connection is logged in by way of one to the upstream loses both at once (RFC 4559 §6). */
  #endWith({ upstream }: Hop, { head }: HopResponse): void {
    const { pins } = this.#runtime;
    const { socket } = this.#client.req;
    if (!pins.has(socket, upstream.name)) return;
    if (!head.persistent || pins.expired(socket, upstream.name)) this.#client.res.shouldKeepAlive = false;
  }

  /** A tunnel takes its connection away from those that come after it. */
  #refill({ upstream }: Hop, identity: Identity, { head }: HopResponse): void {
    const { target } = this.#context;
    if (identity.kind === 'own' && head.framing.kind === 'tunnel' && target.form !== 'asterisk')
      this.#runtime.spares.refill(upstream, identity.credential, target.authority);
  }

  #respond(hop: Hop, identity: Identity, response: HopResponse): Promise<TunnelEnd | undefined> {
    if (response.head.status !== 407 || identity.kind === 'relay')
      return this.#deliver(response, identity.kind === 'relay');
    if (hop.direct) return this.#refuseForOrigin(hop, response);
    return this.#refuse(hop, identity, { reason: 'unanswerable', detail: 'the identity is "none"' }, response);
  }

  async #refuseForOrigin({ upstream }: Hop, response: HopResponse): Promise<undefined> {
    await response.finish();
    this.#explain(originAsked(upstream.name));
  }

  async #refuse(
    hop: Hop,
    identity: Identity,
    refusal: Refusal,
    response?: HopResponse,
  ): Promise<TunnelEnd | undefined> {
    const { rejected } = this.#runtime;
    const { name } = hop.upstream;
    const answerable = identity.kind === 'own' && identity.answerable;
    this.#record.note({ error: refusal.reason === 'closed' ? 'held-back' : refusal.reason });
    if (response !== undefined && rejected === 'ask' && answerable) return this.#deliver(response, true);
    await response?.finish();
    const relayable = answerable ? valuesOf(response?.head.headers ?? [], 'proxy-authenticate') : [];
    const credential = identity.kind === 'own' ? identity.credential.name : undefined;
    this.#explain(refusalPage(refusal, { upstream: name, credential, policy: rejected, relayable }));
    return undefined;
  }

  async #deliver(response: HopResponse, relayNegotiation: boolean): Promise<TunnelEnd | undefined> {
    const { pseudonym, tunnel } = this.#runtime;
    this.#body?.keepNoMore();
    const via = `${response.head.version} ${pseudonym}`;
    const delivered = await deliver(this.#client, response, {
      relayNegotiation,
      via,
      tunnel,
      onAnswer: this.#onAnswer,
    });
    if (delivered.kind === 'gone') this.#record.note({ error: 'ERR_CLIENT_GONE' });
    if (delivered.kind === 'broken') this.#record.note({ error: delivered.error.code });
    return delivered.kind === 'tunnel' ? delivered.end : undefined;
  }

  readonly #onAnswer = (answer: Answer): void => this.#record.answered(answer);

  #fail(error: HopError, nextHop: string): void {
    this.#record.note({ error: error.code });
    this.#explain(rescue(error, nextHop), error.code === HOP_CODES.requestTimeout);
  }

  #explain(explanation: Explanation, close = false): void {
    if (this.#client.req.socket.destroyed) return;
    const [tier, exchange, record] = [this.#runtime.tier, this.#client, this.#record];
    answerOurselves({ tier, exchange, record }, explanation, close);
  }
}
