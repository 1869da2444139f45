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
 * | idle        | start, a scheme of ours is known              | resume it, where it can                       |
 * | idle        | start on a connection that ours has logged in | send without credentials, same connection     |
 * | resuming    | send                                          | send; bound: on a fresh connection            |
 * | resuming    | refuse                                        | send without credentials, any connection      |
 * | standing    | lost: it had died before                      | as from idle, without it                      |
 * | standing    | not 407                                       | relay                                         |
 * | standing    | 407 "not permitted"                           | denied                                        |
 * | standing    | 407                                           | as from probing                               |
 * | probing     | not 407                                       | relay                                         |
 * | probing     | 407 without a parseable challenge             | unanswerable no-challenge                     |
 * | probing     | 407, none of ours offered                     | unanswerable no-common-scheme                 |
 * | probing     | 407                                           | ask the first of ours that is offered         |
 * | asking      | send                                          | send; bound: first leg fresh, later legs same |
 * | asking      | send, bound, later leg, connection closing    | unanswerable connection-lost                  |
 * | asking      | refuse rejected, or after complete credentials | rejected                                      |
 * | asking      | refuse otherwise, another of ours was offered | ask that one                                  |
 * | asking      | refuse otherwise, none left                   | unanswerable no-usable-scheme                 |
 * | negotiating | not 407, credentials complete                 | relay, authenticated                          |
 * | negotiating | not 407, credentials incomplete               | relay                                         |
 * | negotiating | 407 "not permitted", credentials complete     | denied                                        |
 * | negotiating | 407 with the scheme                           | ask the scheme again, with its state          |
 * | negotiating | the same, once more after complete ones       | rejected: a new nonce is asked for once       |
 * | negotiating | 407 without the scheme, credentials complete  | rejected: it is never tried with a weaker one |
 * | negotiating | 407 without the scheme, incomplete            | as from probing: nothing was refused yet      |
 */
export type ChainState =
  | { readonly phase: 'idle'; readonly schemes: readonly ClientScheme[] }
  | { readonly phase: 'resuming'; readonly schemes: readonly ClientScheme[]; readonly scheme: ClientScheme }
  | { readonly phase: 'standing'; readonly schemes: readonly ClientScheme[]; readonly standing: Known }
  | { readonly phase: 'probing'; readonly schemes: readonly ClientScheme[] }
  | {
      readonly phase: 'asking';
      readonly scheme: ClientScheme;
      readonly schemes: readonly ClientScheme[];
      /** Where its answer goes; `lost`: it would belong on a connection that the proxy closes. */
      readonly connection: Connection | 'lost';
      readonly challenges: readonly Challenge[];
      /** Those of ours that may still be tried should this one refuse before anything was sent. */
      readonly left: readonly ClientScheme[];
      /** The challenges came for complete credentials. */
      readonly refused: boolean;
    }
  | {
      readonly phase: 'negotiating';
      readonly schemes: readonly ClientScheme[];
      readonly scheme: ClientScheme;
      readonly schemeState: unknown;
      readonly complete: boolean;
      /** Complete credentials were refused before, for an age that these do not have. */
      readonly again: boolean;
    }
  | { readonly phase: 'ended' };

type Connection = 'any' | 'same' | 'fresh';

/** A scheme that has served an exchange with the same upstream and identity, and the state in which it ended. */
export interface Known {
  readonly scheme: ClientScheme;
  readonly state: unknown;
}

export type ChainEvent =
  /** `standing`: the driver holds a connection that this scheme has logged in. */
  | { readonly kind: 'start'; readonly known?: Known; readonly standing?: Known }
  | { readonly kind: 'lost' }
  | {
      readonly kind: 'response';
      readonly status: number;
      readonly challenges: readonly Challenge[];
      /** The connection stays open for the next leg. */
      readonly persistent: boolean;
      /** Why a challenge of it could not be read. */
      readonly fault?: string | undefined;
      /** The peer itself says that the user was recognised but may not do this. */
      readonly notPermitted: boolean;
    }
  | { readonly kind: 'turn'; readonly turn: ClientTurn };

/** Why a 407 gets no answer from us; it goes on to the client, or becomes a page of our own. */
export type Unanswerable = 'no-challenge' | 'no-common-scheme' | 'no-usable-scheme' | 'connection-lost';

export type ChainAction =
  /** `complete` as in {@link ClientTurn}; true without credentials. */
  | {
      readonly kind: 'send';
      readonly credentials?: Credentials;
      readonly connection: Connection;
      readonly complete: boolean;
    }
  | { readonly kind: 'resume'; readonly scheme: ClientScheme; readonly state: unknown }
  /** `refused`: these challenges came for complete credentials. */
  | {
      readonly kind: 'ask';
      readonly scheme: ClientScheme;
      readonly challenges: readonly Challenge[];
      readonly state: unknown;
      readonly refused: boolean;
    }
  /** The exchange is done; `authenticated` names what to remember for the next one. */
  | { readonly kind: 'relay'; readonly authenticated?: Known }
  /** A 407 after a complete attempt. Counts once against the credentials, and is not retried. */
  | { readonly kind: 'rejected'; readonly scheme: ClientScheme; readonly detail: string }
  /** Recognised, not permitted: says nothing against the credentials. */
  | { readonly kind: 'denied'; readonly authenticated: Known }
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

const isOurs = (schemes: readonly ClientScheme[], { scheme }: Known): boolean =>
  schemes.some((ours) => ours.name === scheme.name);

/** Asks the first of `candidates`; all of them were offered. */
function askFirst(
  schemes: readonly ClientScheme[],
  candidates: readonly ClientScheme[],
  challenges: readonly Challenge[],
): ChainStep | undefined {
  const [scheme, ...left] = candidates;
  if (scheme === undefined) return undefined;
  return [
    { phase: 'asking', schemes, scheme, connection: firstConnection(scheme), challenges, left, refused: false },
    { kind: 'ask', scheme, challenges: ofScheme(challenges, scheme), state: undefined, refused: false },
  ];
}

const probe = (schemes: readonly ClientScheme[]): ChainStep => [
  { phase: 'probing', schemes },
  { kind: 'send', connection: 'any', complete: true },
];

/** What is known of a scheme that is no longer allowed (the configuration was reloaded) is not used. */
function atStart({ schemes }: StateOf<'idle'>, { known, standing }: EventOf<'start'>): ChainStep {
  if (standing !== undefined && isOurs(schemes, standing)) {
    return [
      { phase: 'standing', schemes, standing },
      { kind: 'send', connection: 'same', complete: true },
    ];
  }
  if (known?.scheme.resume === undefined || !isOurs(schemes, known)) return probe(schemes);
  const { scheme, state } = known;
  return [
    { phase: 'resuming', schemes, scheme },
    { kind: 'resume', scheme, state },
  ];
}

function afterResumption({ schemes, scheme }: StateOf<'resuming'>, { turn }: EventOf<'turn'>): ChainStep {
  return turn.kind === 'send' ? sent(schemes, scheme, turn, firstConnection(scheme), false) : probe(schemes);
}

function sent(
  schemes: readonly ClientScheme[],
  scheme: ClientScheme,
  { credentials, state, complete = true }: Extract<ClientTurn, { kind: 'send' }>,
  connection: Connection,
  again: boolean,
): ChainStep {
  return [
    { phase: 'negotiating', schemes, scheme, schemeState: state, complete, again },
    { kind: 'send', credentials, connection, complete },
  ];
}

function onStanding(state: StateOf<'standing'>, event: EventOf<'response'>): ChainStep {
  const denied = event.status === 407 && event.notPermitted;
  return denied ? [ENDED, { kind: 'denied', authenticated: state.standing }] : afterProbe(state, event);
}

function afterProbe({ schemes }: { schemes: readonly ClientScheme[] }, event: EventOf<'response'>): ChainStep {
  const { challenges } = event;
  if (event.status !== 407) return [ENDED, { kind: 'relay' }];
  if (challenges.length === 0) {
    const why = event.fault === undefined ? '' : `: ${event.fault}`;
    return unanswerable('no-challenge', `the 407 has no challenge that can be read${why}`);
  }
  const offered = schemes.filter((scheme) => ofScheme(challenges, scheme).length > 0);
  const names = [...new Set(challenges.map((challenge) => challenge.scheme))].join(', ');
  return (
    askFirst(schemes, offered, challenges) ??
    unanswerable('no-common-scheme', `the proxy offers ${names}, the credentials allow none of these`)
  );
}

function afterTurn(state: StateOf<'asking'>, { turn }: EventOf<'turn'>): ChainStep {
  const { schemes, scheme, connection, challenges, left, refused } = state;
  if (turn.kind === 'send') {
    if (connection !== 'lost') return sent(schemes, scheme, turn, connection, refused);
    return unanswerable(
      'connection-lost',
      `the proxy closes the connection in the middle of ${scheme.name}, which needs one connection for all legs`,
    );
  }
  if (turn.reason === 'rejected' || refused) return [ENDED, { kind: 'rejected', scheme, detail: turn.detail }];
  return askFirst(schemes, left, challenges) ?? unanswerable('no-usable-scheme', `${scheme.name}: ${turn.detail}`);
}

function afterAttempt(state: StateOf<'negotiating'>, event: EventOf<'response'>): ChainStep {
  const { schemes, scheme, schemeState, complete, again } = state;
  const authenticated = { scheme, state: schemeState };
  if (event.status !== 407) return [ENDED, complete ? { kind: 'relay', authenticated } : { kind: 'relay' }];
  if (event.notPermitted && complete) return [ENDED, { kind: 'denied', authenticated }];
  const challenges = ofScheme(event.challenges, scheme);
  if (challenges.length === 0) {
    if (!complete) return afterProbe({ schemes: schemes.filter((ours) => ours !== scheme) }, event);
    return [ENDED, { kind: 'rejected', scheme, detail: `the proxy no longer offers ${scheme.name}` }];
  }
  if (complete && again) return [ENDED, { kind: 'rejected', scheme, detail: 'refused again, although they were new' }];
  const connection = scheme.binding === 'message' ? 'any' : event.persistent ? 'same' : 'lost';
  return [
    { phase: 'asking', schemes, scheme, connection, challenges: event.challenges, left: [], refused: complete },
    { kind: 'ask', scheme, challenges, state: schemeState, refused: complete },
  ];
}

const ROWS: Rows = {
  idle: { start: atStart },
  resuming: { turn: afterResumption },
  standing: {
    response: onStanding,
    lost: ({ schemes, standing }) => atStart({ phase: 'idle', schemes }, { kind: 'start', known: standing }),
  },
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
