import type {
  ChainAction,
  ChainEvent,
  ChainState,
  ClientRequestFacts,
  ClientTurn,
  Conclusion,
  Known,
  MaybePromise,
} from '@chain407/auth';
import { advance, clientChain, whenSettled } from '@chain407/auth';
import type { Credential } from '../account/credentials.ts';
import type { Admission } from '../account/lockout.ts';
import { HOP_CODES, HopError } from '../hop/hop-error.ts';
import type { HopResponse } from '../hop/hop-response.ts';
import type { Freight } from './carrier.ts';
import { Carrier, gone } from './carrier.ts';
import { epilogueOf, heard, saysStale } from './heard.ts';

/** A 407 page is kept up to this size while the next leg is tried; precedent: Squid's error pages are under 8 KiB. */
const MAX_COLLECTED = 64 * 1024;
/** NTLM takes three legs, a stale Digest nonce one more, twice for a large body; beyond this a peer is in a loop. */
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

/** What a negotiation needs of our credentials. */
export type NegotiatedCredential = Pick<
  Credential,
  'schemes' | 'mayGoTo' | 'guard' | 'known' | 'rejected' | 'lookAgain'
>;

/** One request to one upstream; `credential` is there where ours are to be used. */
export interface NegotiationRequest extends Freight {
  readonly credential: NegotiatedCredential | undefined;
  /** The client could answer in our place: while ours are held back, the upstream is asked for its challenges. */
  readonly answerable: boolean;
  /** The request-target as it goes on the wire. */
  readonly target: string;
}

/**
 * The one negotiation loop, for plain requests, CONNECT and Upgrade alike: sends what the reducer says, feeds back what
 * came. Owns what is asked of the guard and what is remembered; which scheme comes next is the reducer's business,
 * which connection serves the carrier's, and what the client is told the caller's.
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

type ActionOf<K extends ChainAction['kind']> = Extract<ChainAction, { kind: K }>;
type Refused = Extract<Negotiated, { kind: 'refused' }>;

class Negotiation {
  readonly #request: NegotiationRequest;
  readonly #carrier: Carrier;
  #response: HopResponse | undefined;
  /** The guard has let an attempt through and has not been told how it ended. */
  #owesOutcome = false;
  /** A body that cannot be kept may go out: what it goes with is known to be good. */
  #sure = false;
  /** The last leg was a HEAD in place of the request. */
  #stoodIn = false;
  /** The state that was resumed: there is nothing new to remember while it stays the same. */
  #resumed: unknown;

  constructor(request: NegotiationRequest) {
    this.#request = request;
    this.#carrier = new Carrier(request);
  }

  async run(): Promise<Negotiated> {
    const { credential, upstream, answerable } = this.#request;
    const closed = credential?.guard.closed();
    if (closed !== undefined) credential?.lookAgain();
    if (closed !== undefined && !answerable) return refused(heldBack(closed));
    const { host, port } = upstream.connection;
    const schemes = closed === undefined && credential?.mayGoTo(host, port) ? credential.schemes : [];
    let state: ChainState = clientChain(schemes);
    let event: ChainEvent = this.#start();
    for (let legs = 0; ; ) {
      const [next, action]: readonly [ChainState, ChainAction] = advance(state, event);
      state = next;
      if (action.kind === 'send') {
        if (legs === MAX_LEGS)
          return refused({ reason: 'unanswerable', detail: `the proxy asked ${MAX_LEGS} times` }, this.#response);
        legs += 1;
        event = await this.#send(action);
      } else if (action.kind === 'resume') {
        const turn = this.#mayResume() ? await this.#resume(action) : await this.#resumeAlone(action);
        if (turn.kind === 'refused') return turn;
        event = { kind: 'turn', turn };
      } else if (action.kind === 'ask') {
        const turn = await this.#ask(action);
        if (turn.kind === 'refused') return turn;
        event = { kind: 'turn', turn };
      } else if (action.kind === 'relay') {
        // A 401 may be the proxy's or the origin's: it proves nothing.
        const proven = !this.#owesOutcome || this.#response?.head.status !== 401;
        const heard =
          action.authenticated !== undefined && proven ? this.#authenticated(action.authenticated) : undefined;
        if (heard !== undefined) await heard;
        if (!this.#stoodIn) return { kind: 'response', response: this.#response as HopResponse };
        // The way is open: now the request itself.
        await this.#response?.collect(MAX_COLLECTED);
        this.#sure = true;
        state = clientChain(schemes);
        event = this.#start();
      } else {
        return this.#end(action);
      }
    }
  }

  /** The last word to the guard. */
  settle(): void {
    if (this.#owesOutcome) this.#request.credential?.guard.inconclusive();
    this.#owesOutcome = false;
  }

  abandon(): void {
    this.#carrier.abandon();
  }

  #start(): ChainEvent {
    const { credential, upstream } = this.#request;
    const known = credential?.known.get(upstream.name);
    if (known === undefined) return { kind: 'start' };
    if (known.scheme.binding !== 'connection' || !this.#carrier.standing(known.scheme.name))
      return { kind: 'start', known };
    this.#sure = true;
    return { kind: 'start', known, standing: known };
  }

  #mayResume(): boolean {
    return this.#owesOutcome || this.#request.credential?.guard.good === true;
  }

  /** What is remembered was good when it was last sent, and that is long ago, or in doubt. */
  async #resumeAlone(action: ActionOf<'resume'>): Promise<ClientTurn | Refused> {
    return (await this.#admitted()) ?? this.#resume(action);
  }

  /** One attempt at a time, until it is known how it ends: `undefined` where it is this one's turn. */
  async #admitted(): Promise<Refused | undefined> {
    const admission = await this.#request.credential?.guard.admit();
    if (admission?.kind === 'closed') return refused(heldBack(admission), this.#response);
    this.#owesOutcome = true;
    if (this.#request.cancellation.cancelled) throw gone();
    return undefined;
  }

  #resume({ scheme, state }: ActionOf<'resume'>): ClientTurn | Promise<ClientTurn> {
    const { credential, upstream } = this.#request;
    if (scheme.perishable !== true && !this.#owesOutcome) this.#sure = true;
    const resumption = scheme.resume?.(this.#facts(), state);
    if (resumption === undefined) throw new TypeError(`${scheme.name} cannot be resumed`);
    const { turn, next } = resumption;
    if (next !== state) credential?.known.set(upstream.name, { scheme, state: next });
    return whenSettled(turn, (settled) => this.#took(settled));
  }

  #took(turn: ClientTurn): ClientTurn {
    if (turn.kind === 'send') this.#resumed = turn.state;
    return turn;
  }

  async #ask({ scheme, challenges, state, refused: wasRefused }: ActionOf<'ask'>): Promise<ClientTurn | Refused> {
    const { credential, cancellation } = this.#request;
    await this.#response?.collect(MAX_COLLECTED);
    if (credential !== undefined && !this.#owesOutcome) {
      // What was good may no longer be: one exchange finds out, the others wait for it.
      if (wasRefused && !saysStale(challenges)) credential.guard.doubt();
      const refusal = await this.#admitted();
      if (refusal !== undefined) return refusal;
    }
    if (cancellation.cancelled) throw gone();
    return scheme.answer(challenges, this.#facts(), state);
  }

  /** A body that cannot be kept must wait until it is known that it will be taken: a HEAD goes before it. */
  #mustWait(): boolean {
    const { body, credential } = this.#request;
    return credential !== undefined && body !== undefined && !body.surelyReplayable && !this.#sure;
  }

  #facts(): ClientRequestFacts {
    const { method, target, upstream, body } = this.#request;
    const facts = { target, peerHost: upstream.connection.host };
    if (this.#mustWait()) return { ...facts, method: 'HEAD' };
    return body === undefined
      ? { ...facts, method }
      : { ...facts, method, content: () => body.content(upstream.connection.responseTimeout) };
  }

  async #send({ credentials, connection, complete }: ActionOf<'send'>): Promise<ChainEvent> {
    // What proves nothing yet is sure to be refused: no body goes with it.
    const standIn = this.#mustWait() || (!complete && this.#request.body !== undefined);
    this.#stoodIn = standIn;
    const response = await this.#carrier.send({ credentials, connection, standIn, once: this.#owesOutcome });
    if (response === 'lost') return { kind: 'lost' };
    this.#response = response;
    return heard(response.head, { method: this.#request.method, credentials: credentials !== undefined });
  }

  /** The upstream took them. Hears what else it says, and remembers what the next exchange needs. */
  #authenticated({ scheme, state }: Known): MaybePromise<void> {
    return whenSettled(this.#conclude({ scheme, state }), (concluded) => {
      if (concluded?.kind === 'impostor') {
        const { upstream } = this.#request;
        throw new HopError('exchange', HOP_CODES.impostor, `${upstream.name}: ${concluded.detail}`, false);
      }
      this.#remember({ scheme, state: concluded === undefined ? state : concluded.state });
    });
  }

  #remember(known: Known): void {
    const { credential, upstream } = this.#request;
    this.#owesOutcome = false;
    this.#carrier.loggedIn();
    credential?.guard.accepted();
    if (known.state !== this.#resumed) credential?.known.set(upstream.name, known);
  }

  #conclude({ scheme, state }: Known): Conclusion | Promise<Conclusion> | undefined {
    if (scheme.conclude === undefined) return undefined;
    const { head } = this.#response as HopResponse;
    return scheme.conclude(epilogueOf(head, scheme.name), this.#facts(), state);
  }

  #end(action: Exclude<ChainAction, { kind: 'send' | 'ask' | 'resume' | 'relay' }>): Negotiated {
    const { credential, upstream } = this.#request;
    const response = this.#response as HopResponse;
    switch (action.kind) {
      case 'denied':
        this.#remember(action.authenticated);
        return refused({ reason: 'denied', detail: 'the user was recognised but may not do this' }, response);
      case 'rejected':
        this.#owesOutcome = false;
        credential?.rejected(`${upstream.name} refused them (${action.scheme.name}): ${action.detail}`);
        return refused({ reason: 'rejected', detail: action.detail, ...waitOf(credential?.guard.closed()) }, response);
      case 'unanswerable': {
        if (credential === undefined) return { kind: 'response', response };
        const closed = credential.guard.closed();
        if (closed !== undefined) return refused(heldBack(closed), response);
        // What is remembered led nowhere: the next exchange asks first.
        credential.known.delete(upstream.name);
        return refused({ reason: 'unanswerable', detail: action.detail }, response);
      }
      default:
        return action satisfies never;
    }
  }
}

const heldBack = ({ reason, retryAfter }: Extract<Admission, { kind: 'closed' }>): Refusal => ({
  reason: 'closed',
  detail: reason,
  retryAfter,
});

const waitOf = (closed: Extract<Admission, { kind: 'closed' }> | undefined): Pick<Refusal, 'retryAfter'> =>
  closed === undefined ? {} : { retryAfter: closed.retryAfter };

function refused(refusal: Refusal, response?: HopResponse): Refused {
  return { kind: 'refused', refusal, ...(response === undefined ? {} : { response }) };
}
