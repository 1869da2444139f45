import type { Clock } from '../../entropy.ts';
import type { Challenge } from '../../message.ts';
import type { ClientScheme, ClientTurn, MaybePromise, Resumption } from '../../scheme.ts';
import { refuse } from '../../scheme.ts';
import type { Secret } from '../../secret.ts';
import { jwtExpiry } from './jwt.ts';
import { bearerComplaint, bearerError, encodeBearer, lacksScope, unusableToken } from './wire.ts';

/** Where tokens come from: a file that someone renews, a command. */
export interface TokenSource {
  /** The token as it is now: the same object for as long as it is the same token. */
  readonly current: Secret;
  /**
   * Fetches the token anew, and gives what `current` is from then on; the same, or `undefined`, where there is no newer
   * one. Whoever asks while this is under way gets the same answer. Never rejects.
   */
  renew(): MaybePromise<Secret | undefined>;
}

export interface BearerOptions {
  readonly now: Clock;
  /** Milliseconds that a token is good for from when it is first seen; a JWT may end earlier. Default: no end. */
  readonly lifetime?: number;
}

/** `renewed`: in this exchange the source has been asked already; it is asked once. */
export interface BearerState {
  readonly sent: Secret;
  readonly renewed: boolean;
}

/** A token is renewed this many milliseconds before its end, so that it does not end on its way, or by another clock. */
const LEEWAY = 30_000;
/** A source that has nothing newer is not asked again for this many milliseconds, though the token may have ended. */
const PATIENCE = 30_000;

type Turn = ClientTurn<BearerState>;

/** A token and all that is ever said with it, made once. */
interface Prepared {
  readonly token: Secret;
  /** Milliseconds since 1970 from when it is renewed before it is sent. */
  readonly renewAt: number;
  readonly turn: Turn;
  readonly afterRenewal: Turn;
  readonly resumption: Resumption<BearerState>;
}

/**
 * The client half of Bearer (RFC 6750): one leg, the same token for every request until it ends.
 *
 * A 407 for a token that has gone out is a rejection, unless there is another token to be had: the source has a new one
 * already, the proxy says `invalid_token`, or the token has ended. Where the source has nothing newer than a token that
 * seems to have ended, that one is sent all the same: the proxy is the judge, by its clock.
 *
 * `insufficient_scope` is no rejection either: the token was recognised, and the source has no other for it. A driver that
 * looks for it ({@link lacksScope}) takes it for "not permitted" and does not ask this half; asked all the same, it
 * refuses as `unsupported`, which says nothing against the token.
 */
export function bearerClient(
  source: TokenSource,
  { now, lifetime = Number.POSITIVE_INFINITY }: BearerOptions,
): ClientScheme<BearerState> {
  const seen = (token: Secret): Prepared => prepare(token, renewalOf(token, now(), lifetime));
  let latest = seen(source.current);

  const take = (token: Secret): Prepared => {
    if (token !== latest.token) latest = seen(token);
    return latest;
  };

  const renew = async (): Promise<Prepared> => {
    const { token: old } = latest;
    const next = take((await source.renew()) ?? source.current);
    if (isSame(next.token, old)) latest = prepare(next.token, Math.max(next.renewAt, now() + PATIENCE));
    return latest;
  };

  /** At once where the token is fresh. */
  const begin = (): MaybePromise<Turn> => {
    const { renewAt, turn } = take(source.current);
    return now() < renewAt ? turn : renew().then(({ afterRenewal }) => afterRenewal);
  };

  const goOn = (challenges: readonly Challenge[], { sent, renewed }: BearerState): MaybePromise<Turn> => {
    const complaint = bearerComplaint(challenges, sent);
    if (lacksScope(challenges)) return refuse('unsupported', `the token is good, but not for this: ${complaint}`);
    const rejected = refuse('rejected', complaint ?? 'token not accepted');
    const another = ({ token, afterRenewal }: Prepared): Turn =>
      isSame(token, sent) || afterRenewal.kind === 'refuse' ? rejected : afterRenewal;
    if (renewed) return rejected;
    const known = take(source.current);
    if (!isSame(known.token, sent)) return another(known);
    return bearerError(challenges) === 'invalid_token' || now() >= known.renewAt ? renew().then(another) : rejected;
  };

  return {
    name: 'bearer',
    binding: 'message',
    perishable: true,
    resume: () => {
      const { renewAt, resumption } = take(source.current);
      if (now() < renewAt) return resumption;
      return { turn: begin(), next: resumption.next };
    },
    answer: (challenges, _request, state) => (state === undefined ? begin() : goOn(challenges, state)),
  };
}

const isSame = (a: Secret, b: Secret): boolean => a === b || a.reveal() === b.reveal();

function renewalOf(token: Secret, seenAt: number, lifetime: number): number {
  const exp = jwtExpiry(token);
  const end = Math.min(seenAt + lifetime, exp === undefined ? Number.POSITIVE_INFINITY : exp * 1000);
  // Of a short life at least half is used.
  return end - Math.min(LEEWAY, Math.max(0, end - seenAt) / 2);
}

function prepare(token: Secret, renewAt: number): Prepared {
  const problem = unusableToken(token);
  const turnOf = (state: BearerState): Turn =>
    problem === undefined ? { kind: 'send', credentials: encodeBearer(token), state } : refuse('unsupported', problem);
  const state: BearerState = { sent: token, renewed: false };
  const turn = turnOf(state);
  return {
    token,
    renewAt,
    turn,
    afterRenewal: turnOf({ sent: token, renewed: true }),
    resumption: { turn, next: state },
  };
}
