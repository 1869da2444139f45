import { AuthError } from './errors.ts';
import type { Challenge, Credentials } from './message.ts';
import type { ClientScheme, ClientTurn } from './scheme.ts';

/**
 * The choice of scheme: one pure reducer. A driver sends what an action says, and feeds back what came.
 *
 * 1. Every transition is in this file.
 * 2. This file does not know what a socket is: `connection` is all it says of them.
 * 3. An event with no row is a bug of the caller and throws; the state, being a value, is unchanged.
 *
 * | state       | event                                         | action                                        |
 * |-------------|-----------------------------------------------|-----------------------------------------------|
 * | idle        | start                                         | send without credentials, any connection      |
 * | idle        | start with known credentials of one of ours   | send them; bound: on a fresh connection       |
 * | probing     | not 407                                       | relay                                         |
 * | probing     | 407 without a parseable challenge             | unanswerable no-challenge                     |
 * | probing     | 407, none of ours offered                     | unanswerable no-common-scheme                 |
 * | probing     | 407                                           | ask the first of ours that is offered         |
 * | asking      | send                                          | send; bound: first leg fresh, later legs same |
 * | asking      | send, bound, later leg, connection closing    | unanswerable connection-lost                  |
 * | asking      | refuse rejected                               | rejected                                      |
 * | asking      | refuse otherwise, another of ours was offered | ask that one                                  |
 * | asking      | refuse otherwise, none left                   | unanswerable no-usable-scheme                 |
 * | negotiating | not 407, credentials complete                 | relay, authenticated                          |
 * | negotiating | not 407, credentials incomplete               | relay                                         |
 * | negotiating | 407 "not permitted", credentials complete     | denied                                        |
 * | negotiating | 407 with the scheme                           | ask the scheme again, with its state          |
 * | negotiating | 407 without the scheme, credentials complete  | rejected: it is never tried with a weaker one |
 * | negotiating | 407 without the scheme, incomplete            | unanswerable no-usable-scheme                 |
 */
export type ChainState =
  | { readonly phase: 'idle'; readonly schemes: readonly ClientScheme[] }
  | { readonly phase: 'probing'; readonly schemes: readonly ClientScheme[] }
  | {
      readonly phase: 'asking';
      readonly scheme: ClientScheme;
      /** Where its answer goes; `lost`: it would belong on a connection that the proxy closes. */
      readonly connection: Connection | 'lost';
      readonly challenges: readonly Challenge[];
      /** Those of ours that may still be tried should this one refuse before anything was sent. */
      readonly left: readonly ClientScheme[];
    }
  | {
      readonly phase: 'negotiating';
      readonly scheme: ClientScheme;
      readonly schemeState: unknown;
      readonly complete: boolean;
    }
  | { readonly phase: 'ended' };

type Connection = 'any' | 'same' | 'fresh';

/**
 * Credentials that a former exchange with the same upstream and identity has shown to be good, or to be what the
 * upstream asks for first; `complete` as in {@link ClientTurn}.
 */
export interface KnownCredentials {
  readonly scheme: ClientScheme;
  readonly credentials: Credentials;
  readonly state: unknown;
  readonly complete?: boolean;
}

export type ChainEvent =
  | { readonly kind: 'start'; readonly known?: KnownCredentials }
  | {
      readonly kind: 'response';
      readonly status: number;
      readonly challenges: readonly Challenge[];
      /** The connection stays open for the next leg. */
      readonly persistent: boolean;
      /** The peer itself says that the user was recognised but may not do this. */
      readonly notPermitted: boolean;
    }
  | { readonly kind: 'turn'; readonly turn: ClientTurn };

/** Why a 407 gets no answer from us; it goes on to the client, or becomes a page of our own. */
export type Unanswerable = 'no-challenge' | 'no-common-scheme' | 'no-usable-scheme' | 'connection-lost';

export type ChainAction =
  | { readonly kind: 'send'; readonly credentials?: Credentials; readonly connection: Connection }
  | {
      readonly kind: 'ask';
      readonly scheme: ClientScheme;
      readonly challenges: readonly Challenge[];
      readonly state: unknown;
    }
  /** The exchange is done; `authenticated` names what to remember for the next one. */
  | { readonly kind: 'relay'; readonly authenticated?: { readonly scheme: ClientScheme; readonly state: unknown } }
  /** A 407 after a complete attempt. Counts once against the credentials, and is not retried. */
  | { readonly kind: 'rejected'; readonly scheme: ClientScheme; readonly detail: string }
  /** Recognised, not permitted: says nothing against the credentials. */
  | { readonly kind: 'denied'; readonly scheme: ClientScheme; readonly state: unknown }
  | { readonly kind: 'unanswerable'; readonly reason: Unanswerable; readonly detail: string };

export type ChainStep = readonly [ChainState, ChainAction];

type Phase = ChainState['phase'];
type StateOf<P extends Phase> = Extract<ChainState, { phase: P }>;
type EventOf<K extends ChainEvent['kind']> = Extract<ChainEvent, { kind: K }>;
type Rows = { [P in Phase]: { [K in ChainEvent['kind']]?: (state: StateOf<P>, event: EventOf<K>) => ChainStep } };

const ENDED: ChainState = { phase: 'ended' };

/** `schemes`: those that the credentials allow, strongest first; empty where the peer may be sent nothing. */
export function clientChain(schemes: readonly ClientScheme[]): ChainState {
  return { phase: 'idle', schemes };
}

const unanswerable = (reason: Unanswerable, detail: string): ChainStep => [
  ENDED,
  { kind: 'unanswerable', reason, detail },
];

const ofScheme = (challenges: readonly Challenge[], scheme: ClientScheme): Challenge[] =>
  challenges.filter((challenge) => challenge.scheme === scheme.name);

const firstConnection = (scheme: ClientScheme): Connection => (scheme.binding === 'message' ? 'any' : 'fresh');

/** Asks the first of `candidates`; all of them were offered. */
function askFirst(candidates: readonly ClientScheme[], challenges: readonly Challenge[]): ChainStep | undefined {
  const [scheme, ...left] = candidates;
  if (scheme === undefined) return undefined;
  return [
    { phase: 'asking', scheme, connection: firstConnection(scheme), challenges, left },
    { kind: 'ask', scheme, challenges: ofScheme(challenges, scheme), state: undefined },
  ];
}

/** Known credentials of a scheme that is no longer allowed (the configuration was reloaded) are not sent. */
function atStart({ schemes }: StateOf<'idle'>, { known }: EventOf<'start'>): ChainStep {
  if (known === undefined || !schemes.some((scheme) => scheme.name === known.scheme.name)) {
    return [
      { phase: 'probing', schemes },
      { kind: 'send', connection: 'any' },
    ];
  }
  const { scheme, credentials, state, complete = true } = known;
  return [
    { phase: 'negotiating', scheme, schemeState: state, complete },
    { kind: 'send', credentials, connection: firstConnection(scheme) },
  ];
}

function afterProbe(state: StateOf<'probing'>, event: EventOf<'response'>): ChainStep {
  const { challenges } = event;
  if (event.status !== 407) return [ENDED, { kind: 'relay' }];
  if (challenges.length === 0) return unanswerable('no-challenge', 'the 407 has no challenge that can be read');
  const offered = state.schemes.filter((scheme) => ofScheme(challenges, scheme).length > 0);
  const names = [...new Set(challenges.map((challenge) => challenge.scheme))].join(', ');
  return (
    askFirst(offered, challenges) ??
    unanswerable('no-common-scheme', `the proxy offers ${names}, the credentials allow none of these`)
  );
}

function afterTurn(state: StateOf<'asking'>, { turn }: EventOf<'turn'>): ChainStep {
  const { scheme, connection, challenges, left } = state;
  if (turn.kind === 'send') {
    if (connection === 'lost') {
      return unanswerable(
        'connection-lost',
        `the proxy closes the connection in the middle of ${scheme.name}, which needs one connection for all legs`,
      );
    }
    return [
      { phase: 'negotiating', scheme, schemeState: turn.state, complete: turn.complete ?? true },
      { kind: 'send', credentials: turn.credentials, connection },
    ];
  }
  if (turn.reason === 'rejected') return [ENDED, { kind: 'rejected', scheme, detail: turn.detail }];
  return askFirst(left, challenges) ?? unanswerable('no-usable-scheme', `${scheme.name}: ${turn.detail}`);
}

function afterAttempt(state: StateOf<'negotiating'>, event: EventOf<'response'>): ChainStep {
  const { scheme, schemeState, complete } = state;
  if (event.status !== 407) {
    return [ENDED, complete ? { kind: 'relay', authenticated: { scheme, state: schemeState } } : { kind: 'relay' }];
  }
  if (event.notPermitted && complete) return [ENDED, { kind: 'denied', scheme, state: schemeState }];
  const challenges = ofScheme(event.challenges, scheme);
  if (challenges.length === 0) {
    const detail = `the proxy no longer offers ${scheme.name}`;
    return complete ? [ENDED, { kind: 'rejected', scheme, detail }] : unanswerable('no-usable-scheme', detail);
  }
  const connection = scheme.binding === 'message' ? 'any' : event.persistent ? 'same' : 'lost';
  return [
    { phase: 'asking', scheme, connection, challenges: event.challenges, left: [] },
    { kind: 'ask', scheme, challenges, state: schemeState },
  ];
}

const ROWS: Rows = {
  idle: { start: atStart },
  probing: { response: afterProbe },
  asking: { turn: afterTurn },
  negotiating: { response: afterAttempt },
  ended: {},
};

/** One step. Throws {@link AuthError} for an event that the table has no row for. */
export function advance(state: ChainState, event: ChainEvent): ChainStep {
  const row = ROWS[state.phase][event.kind] as ((state: ChainState, event: ChainEvent) => ChainStep) | undefined;
  if (row === undefined)
    throw new AuthError('ERR_AUTH_ILLEGAL_MOVE', `no move for ${event.kind} in state ${state.phase}`);
  return row(state, event);
}
