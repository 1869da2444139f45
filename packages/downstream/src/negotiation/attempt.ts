import type { Credentials, SchemeName } from '@chain407/auth';
import type {
  ClientExchange,
  ExchangeRecord,
  Informational,
  RawHeaders,
  RequestBody,
  RequestTarget,
} from '@chain407/core';
import { countForward, formatHead, isIdempotent, relayInformational } from '@chain407/core';
import type { Credential } from '../account/credentials.ts';
import type { Cancellation } from '../hop/cancellation.ts';
import type { ConnectionSource } from '../hop/connection-source.ts';
import type { Pins } from '../hop/pins.ts';
import type { Pool } from '../hop/pool.ts';
import type { Identity } from '../identity.ts';
import { bindsConnection, poolKey } from '../identity.ts';
import type { Upstream } from '../upstream.ts';
import type { CarriedLeg } from './carrier.ts';
import type { NegotiationRequest } from './negotiate.ts';
import type { ReplayBody } from './replay-body.ts';
import type { HeadFacts } from './request-head.ts';
import { authorizationText, requestHeaders, targetText } from './request-head.ts';

/** A next hop as an exchange uses it: an upstream, or the origin itself on a direct route. */
export interface Hop {
  readonly upstream: Upstream;
  readonly direct: boolean;
}

/** What every attempt of one exchange has in common. */
export interface AttemptContext {
  readonly client: ClientExchange;
  readonly record: ExchangeRecord;
  readonly target: RequestTarget;
  readonly framing: RequestBody;
  readonly body: ReplayBody | undefined;
  readonly cancellation: Cancellation;
  /** The `Via` pseudonym of this instance. */
  readonly pseudonym: string;
  readonly pool: Pool;
  readonly pins: Pins;
}

const NO_BODY: RequestBody = { kind: 'none' };

/**
 * One request on its way to one hop on behalf of one identity: how its head is written, which connections may carry it,
 * and what is recorded of its legs. The negotiation asks it; it decides nothing.
 */
export class Attempt implements NegotiationRequest {
  readonly upstream: Upstream;
  readonly method: string;
  readonly target: string;
  readonly body: ReplayBody | undefined;
  readonly cancellation: Cancellation;
  readonly #context: AttemptContext;
  readonly #identity: Identity;
  readonly #facts: HeadFacts;

  constructor(context: AttemptContext, { upstream, direct }: Hop, identity: Identity) {
    const { client, target, framing, body, cancellation, pseudonym } = context;
    const { method = '', rawHeaders, httpVersion } = client.req;
    this.upstream = upstream;
    this.method = method;
    this.target = targetText(target, direct);
    this.body = body;
    this.cancellation = cancellation;
    this.#context = context;
    this.#identity = identity;
    this.#facts = {
      kind: client.kind,
      target,
      headers: countForward(method, rawHeaders),
      body: framing,
      via: `${httpVersion} ${pseudonym}`,
      direct,
      standIn: false,
    };
  }

  get credential(): Credential | undefined {
    return this.#identity.kind === 'own' ? this.#identity.credential : undefined;
  }

  get answerable(): boolean {
    return this.#identity.kind === 'own' && this.#identity.answerable;
  }

  get upgrade(): boolean {
    return this.#facts.kind === 'upgrade';
  }

  get idempotent(): boolean {
    // CONNECT has no effect at the origin before the tunnel carries bytes.
    return this.method === 'CONNECT' || isIdempotent(this.method);
  }

  head(credentials: Credentials | undefined, standIn: boolean): string {
    const line = `${standIn ? 'HEAD' : this.method} ${this.target} HTTP/1.1`;
    return formatHead(line, this.#fields(credentials, standIn));
  }

  source(scheme: SchemeName | undefined): ConnectionSource {
    const { upstream } = this;
    const { pool, pins, client } = this.#context;
    const { socket } = client.req;
    const identity = this.#identity;
    const pinned = identity.kind === 'relay' && (bindsConnection(identity) || pins.has(socket, upstream.name));
    if (pinned) return pins.source(socket, upstream.name, upstream.idleTimeout);
    return pool.source(poolKey(upstream.name, identity, scheme), upstream.idleTimeout);
  }

  onLeg({ connection, credentials, standIn, at, ms, result }: CarriedLeg): void {
    const to = this.#facts.direct ? 'origin' : this.upstream.name;
    const method = standIn ? 'HEAD' : this.method;
    const headers = (): RawHeaders => this.#fields(credentials, standIn);
    this.#context.record.sent({ to, connection, at, ms, method, target: this.target, headers, result });
  }

  onInformational(head: Informational): void {
    const { client, pseudonym } = this.#context;
    // Many who write CONNECT by hand take the first status line for the last.
    if (client.kind !== 'connect') relayInformational(client.res, head, `1.1 ${pseudonym}`);
  }

  #fields(credentials: Credentials | undefined, standIn: boolean): string[] {
    const facts = standIn ? { ...this.#facts, body: NO_BODY, standIn } : this.#facts;
    return requestHeaders(facts, authorization(this.#identity, credentials));
  }
}

/** The text of `Proxy-Authorization` on a leg. */
function authorization(identity: Identity, credentials: Credentials | undefined): string | undefined {
  if (identity.kind === 'relay') return identity.line;
  return credentials === undefined ? undefined : authorizationText(credentials);
}
