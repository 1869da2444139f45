import type { ChainAction, ChainEvent, ChainState, ClientTurn, Credentials, KnownCredentials } from '@chain407/auth';
import { advance, clientChain, parseChallenges } from '@chain407/auth';
import type { ResponseHead } from '@chain407/core';
import { preciseNow, REFUSALS, valuesOf } from '@chain407/core';
import type { Cancellation } from './cancellation.ts';
import type { ConnectionSource } from './connection-source.ts';
import type { Credential } from './credentials.ts';
import { HOP_CODES, HopError } from './hop-error.ts';
import { HopResponse } from './hop-response.ts';
import type { Admission } from './lockout.ts';
import type { Upstream } from './upstream.ts';
import type { OutboundBody } from './upstream-connection.ts';
import { UpstreamConnection } from './upstream-connection.ts';

/** A 407 page is kept up to this size while the next leg is tried; precedent: Squid's error pages are under 8 KiB. */
const MAX_COLLECTED = 64 * 1024;
/** NTLM takes three legs, a stale Digest nonce one more; a peer that goes on beyond this is in a loop. */
const MAX_LEGS = 8;

/** Why our credentials did not open the way. `closed`: the guard kept them from being sent at all. */
export interface Refusal {
  readonly reason: 'rejected' | 'denied' | 'closed' | 'unanswerable';
  readonly detail: string;
  /** Milliseconds until our credentials are tried again. */
  readonly retryAfter?: number;
}

export type Negotiated =
  /** To be handed on to the client; a 407 too, where nobody here can answer it. */
  | { readonly kind: 'response'; readonly response: HopResponse }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly response?: HopResponse }
  | { readonly kind: 'failed'; readonly error: HopError }
  | { readonly kind: 'cancelled' };

/** One request to one upstream; `credential` is there where ours are to be used. */
export interface NegotiationRequest {
  readonly upstream: Upstream;
  readonly credential: Credential | undefined;
  /** The client could answer in our place: while ours are held back, the upstream is asked for its challenges. */
  readonly answerable: boolean;
  readonly method: string;
  /** The request-target as it goes on the wire. */
  readonly target: string;
  readonly upgrade: boolean;
  /** May be sent again on a new connection when the old one was found dead (RFC 9110 §9.2.2). */
  readonly idempotent: boolean;
  readonly body: (OutboundBody & { readonly replayable: boolean }) | undefined;
  /** The head with these credentials of ours, or with none of ours. */
  readonly head: (credentials: Credentials | undefined) => string;
  /** Connections for this identity once `scheme` is in use, or before. */
  readonly source: (scheme: string | undefined) => ConnectionSource;
  readonly cancellation: Cancellation;
  readonly onLeg: (leg: NegotiationLeg) => void;
}

/** What was sent on which connection, and what came back: a head, or the reason why none came. */
export interface NegotiationLeg {
  readonly connection: string;
  readonly credentials: Credentials | undefined;
  readonly at: number;
  readonly ms: number;
  readonly result: ResponseHead | HopError;
}

/**
 * The one negotiation loop, for plain requests, CONNECT and Upgrade alike: sends what the reducer says, feeds back what
 * came. Owns the order of legs and the connection between them; which scheme comes next is the reducer's business, and
 * what the client is told is the caller's.
 */
export async function negotiate(request: NegotiationRequest): Promise<Negotiated> {
  const negotiation = new Negotiation(request);
  try {
    return await negotiation.run();
  } catch (error) {
    negotiation.abandon();
    if (request.cancellation.cancelled) return { kind: 'cancelled' };
    if (error instanceof HopError) return { kind: 'failed', error };
    throw error;
  } finally {
    negotiation.settle();
  }
}

class Negotiation {
  readonly #request: NegotiationRequest;
  #connection: UpstreamConnection | undefined;
  /** The scheme whose credentials the connection has carried. */
  #carried: string | undefined;
  #credentials: Credentials | undefined;
  #response: HopResponse | undefined;
  /** The guard has let an attempt through and has not been told how it ended. */
  #owesOutcome = false;

  constructor(request: NegotiationRequest) {
    this.#request = request;
  }

  async run(): Promise<Negotiated> {
    const { credential, upstream, answerable } = this.#request;
    const closed = credential?.guard.closed();
    if (closed !== undefined && !answerable) return refused(heldBack(closed));
    const { host, port } = upstream.connection;
    const schemes = closed === undefined && credential?.mayGoTo(host, port) ? credential.schemes : [];
    let state: ChainState = clientChain(schemes);
    const known = credential?.known.get(upstream.name);
    let event: ChainEvent = { kind: 'start', ...(known === undefined ? {} : { known }) };
    for (let legs = 0; legs <= MAX_LEGS; ) {
      const [next, action]: readonly [ChainState, ChainAction] = advance(state, event);
      state = next;
      if (action.kind === 'send') {
        legs += 1;
        event = await this.#send(action);
      } else if (action.kind === 'ask') {
        const turn = await this.#ask(action);
        if (turn.kind === 'refused') return turn;
        event = { kind: 'turn', turn };
      } else {
        return this.#conclude(action, known);
      }
    }
    return refused({ reason: 'unanswerable', detail: `the proxy asked ${MAX_LEGS} times` }, this.#response);
  }

  /** The last word to the guard. */
  settle(): void {
    if (this.#owesOutcome) this.#request.credential?.guard.inconclusive();
    this.#owesOutcome = false;
  }

  /** Nobody will take the response over, and with it the connection. */
  abandon(): void {
    this.#connection?.destroy();
  }

  async #ask(
    action: Extract<ChainAction, { kind: 'ask' }>,
  ): Promise<ClientTurn | Extract<Negotiated, { kind: 'refused' }>> {
    const { credential, method, target, upstream, cancellation } = this.#request;
    await this.#response?.collect(MAX_COLLECTED);
    if (action.state === undefined && credential !== undefined && !this.#owesOutcome) {
      const admission = await credential.guard.admit();
      if (admission.kind === 'closed') return refused(heldBack(admission), this.#response);
      this.#owesOutcome = true;
    }
    if (cancellation.cancelled) throw gone();
    return action.scheme.answer(
      action.challenges,
      { method, target, peerHost: upstream.connection.host },
      action.state,
    );
  }

  async #send({ credentials, connection }: Extract<ChainAction, { kind: 'send' }>): Promise<ChainEvent> {
    this.#credentials = credentials;
    // An attempt that counts is never repeated, so it does not go where the peer may have closed without saying so.
    const wanted = connection === 'any' && this.#owesOutcome ? 'fresh' : connection;
    let reused = await this.#connect(wanted, credentials?.scheme);
    for (;;) {
      try {
        return this.#received(await this.#leg(credentials));
      } catch (error) {
        if (!(error instanceof HopError) || !reused || !this.#mayRepeat(error)) throw error;
        reused = await this.#connect('fresh', credentials?.scheme);
      }
    }
  }

  /** Sees to a connection as the reducer wants it; true where it has served before. */
  async #connect(wanted: 'any' | 'same' | 'fresh', scheme: string | undefined): Promise<boolean> {
    const { upstream, source, cancellation, body } = this.#request;
    if (body?.replayable === false) {
      throw new HopError('exchange', HOP_CODES.notReplayable, 'the request body is too large to be sent again', false);
    }
    const current = this.#connection?.reusable === true ? this.#connection : undefined;
    if (wanted === 'same' && current === undefined) {
      throw new HopError('exchange', HOP_CODES.closed, `the connection was closed in the middle of ${scheme}`, false);
    }
    if (wanted === 'fresh') {
      this.#connection?.destroy();
      this.#connection = undefined;
    } else {
      this.#connection = current ?? source(scheme).take();
    }
    this.#carried = scheme ?? this.#carried;
    const reused = this.#connection?.used ?? false;
    this.#connection ??= await UpstreamConnection.connect(upstream.connection, cancellation);
    if (cancellation.cancelled) throw gone();
    cancellation.hold(this.#connection);
    return reused;
  }

  async #leg(credentials: Credentials | undefined): Promise<HopResponse> {
    const { method, upgrade, head, body, cancellation, source, onLeg } = this.#request;
    const connection = this.#connection as UpstreamConnection;
    const at = preciseNow();
    const report = (result: ResponseHead | HopError): void =>
      onLeg({ connection: connection.id, credentials, at, ms: preciseNow() - at, result });
    try {
      const answer = await connection.send({ context: { method, upgrade }, head: head(credentials), body });
      report(answer);
      const carried = this.#carried;
      return new HopResponse(answer, connection, () => {
        cancellation.release();
        source(carried).put(connection);
      });
    } catch (error) {
      if (error instanceof HopError) report(error);
      throw error;
    }
  }

  #received(response: HopResponse): ChainEvent {
    this.#response = response;
    const { status, headers, persistent } = response.head;
    if (status !== 407) return { kind: 'response', status, challenges: [], persistent, notPermitted: false };
    const { challenges } = parseChallenges(valuesOf(headers, 'proxy-authenticate'));
    return { kind: 'response', status, challenges, persistent, notPermitted: saysNotPermitted(headers) };
  }

  #mayRepeat(error: HopError): boolean {
    const { idempotent, body } = this.#request;
    // Whoever closed may have read the credentials: while they are not known to be good, that was the one attempt.
    return error.unanswered && idempotent && body?.replayable !== false && !this.#owesOutcome;
  }

  #conclude(action: Exclude<ChainAction, { kind: 'send' | 'ask' }>, known: KnownCredentials | undefined): Negotiated {
    const { credential, upstream } = this.#request;
    const response = this.#response as HopResponse;
    switch (action.kind) {
      case 'relay':
        if (action.authenticated !== undefined) this.#remember(action.authenticated, known);
        return { kind: 'response', response };
      case 'denied':
        this.#remember(action, known);
        return refused({ reason: 'denied', detail: 'the user was recognised but may not do this' }, response);
      case 'rejected':
        this.#owesOutcome = false;
        // What other upstreams took before is no longer known to be good either: one attempt at a time.
        credential?.known.clear();
        credential?.guard.rejected(`${upstream.name} refused them (${action.scheme.name}): ${action.detail}`);
        return refused({ reason: 'rejected', detail: action.detail, ...waitOf(credential?.guard.closed()) }, response);
      case 'unanswerable': {
        if (credential === undefined) return { kind: 'response', response };
        const closed = credential.guard.closed();
        if (closed !== undefined) return refused(heldBack(closed), response);
        return refused({ reason: 'unanswerable', detail: action.detail }, response);
      }
      default:
        return action satisfies never;
    }
  }

  #remember({ scheme, state }: Pick<KnownCredentials, 'scheme' | 'state'>, known: KnownCredentials | undefined): void {
    const { credential, upstream } = this.#request;
    this.#owesOutcome = false;
    credential?.guard.accepted();
    const credentials = this.#credentials;
    if (credentials === undefined || (known?.credentials === credentials && known.state === state)) return;
    credential?.known.set(upstream.name, { scheme, credentials, state });
  }
}

const heldBack = ({ reason, retryAfter }: Extract<Admission, { kind: 'closed' }>): Refusal => ({
  reason: 'closed',
  detail: reason,
  retryAfter,
});

const waitOf = (closed: Extract<Admission, { kind: 'closed' }> | undefined): Pick<Refusal, 'retryAfter'> =>
  closed === undefined ? {} : { retryAfter: closed.retryAfter };

const gone = (): HopError => new HopError('exchange', HOP_CODES.closed, 'the client has gone', false);

function refused(refusal: Refusal, response?: HopResponse): Extract<Negotiated, { kind: 'refused' }> {
  return { kind: 'refused', refusal, ...(response === undefined ? {} : { response }) };
}

/** Our own upstream tier says so in `Proxy-Status`; then the 407 is a matter of permission, not of the password. */
function saysNotPermitted(headers: readonly string[]): boolean {
  return valuesOf(headers, 'proxy-status').some((value) => value.includes(`details="${REFUSALS.notPermitted}`));
}
