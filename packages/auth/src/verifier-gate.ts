import { formatMessage, parseCredentials } from './grammar.ts';
import type { Challenge, Credentials, SchemeName } from './message.ts';
import type { Epilogue, MaybePromise, Principal, RequestFacts, VerifierScheme, VerifierTurn } from './scheme.ts';
import { whenSettled } from './scheme.ts';

/**
 * The verifier's side of the negotiation: given the `Proxy-Authorization` lines of a request and what is known of its
 * connection, says whether the request may go on. Owns no connection: the caller keeps the state that a step returns
 * and hands it in with the next request of the same connection.
 *
 * | connection           | credentials                      | verdict                                              |
 * |----------------------|----------------------------------|------------------------------------------------------|
 * | anything             | more than one line, not readable | malformed                                            |
 * | authenticated        | none                             | admitted: the connection is the user's               |
 * | new, in handshake    | none                             | ask: missing; a handshake under way is dropped       |
 * | anything             | of a scheme that is not offered  | ask: unsupported                                     |
 * | new, authenticated   | of a scheme that is offered      | as the scheme judges, from its start                 |
 * | in handshake         | of the same scheme               | as the scheme judges, with its state                 |
 * | in handshake         | of another scheme                | as that scheme judges, from its start                |
 */
export type GateState =
  | { readonly phase: 'handshake'; readonly scheme: SchemeName; readonly schemeState: unknown }
  | { readonly phase: 'authenticated'; readonly scheme: SchemeName; readonly principal: Principal };

/** Why the client is asked (again). `stale`: the credentials were good in all but their nonce. */
export type AskReason = 'missing' | 'unsupported' | 'rejected' | 'stale' | 'continue';

export type Verdict =
  | {
      readonly kind: 'admitted';
      readonly scheme: SchemeName;
      readonly principal: Principal;
      /** The same line of credentials would be admitted again, for a while. */
      readonly constant: boolean;
      /** To be said beside the answer, whatever it is. */
      readonly epilogue?: Epilogue;
    }
  | {
      readonly kind: 'ask';
      readonly reason: AskReason;
      readonly challenges: readonly Challenge[];
      readonly user?: string;
      readonly log: string;
      /** As in {@link VerifierTurn}. */
      readonly why?: string;
    }
  | { readonly kind: 'malformed'; readonly log: string }
  /** It cannot be said who this is: now, or of a request of this size. */
  | { readonly kind: 'unavailable'; readonly log: string }
  | { readonly kind: 'too-large'; readonly log: string };

export interface GateStep {
  readonly verdict: Verdict;
  /** What to hand in with the next request of this connection; `undefined`: nothing is known. */
  readonly state: GateState | undefined;
}

type Read =
  | { readonly missing: true }
  | { readonly scheme: VerifierScheme; readonly credentials: Credentials }
  | GateStep;

const malformed = (log: string): GateStep => ({ verdict: { kind: 'malformed', log }, state: undefined });

/** The gate of one tier. Make one, use it for all requests. */
export class VerifierGate {
  readonly #schemes: ReadonlyMap<SchemeName, VerifierScheme>;

  /** `schemes` in the order in which they are offered; at least one. */
  constructor(schemes: readonly VerifierScheme[]) {
    this.#schemes = new Map(schemes.map((scheme) => [scheme.name, scheme]));
  }

  /** The challenges of all schemes, in order. */
  offer(): Challenge[] {
    return [...this.#schemes.values()].flatMap((scheme) => scheme.offer());
  }

  /** The connection is gone, or its state is not handed in again: a handshake under way ends here. */
  drop(state: GateState | undefined): void {
    if (state?.phase === 'handshake') this.#schemes.get(state.scheme)?.abandon?.(state.schemeState);
  }

  judge(lines: readonly string[], request: RequestFacts, state: GateState | undefined): MaybePromise<GateStep> {
    const read = this.#read(lines);
    const goesOn = 'scheme' in read && state?.phase === 'handshake' && state.scheme === read.scheme.name;
    if (!goesOn) this.drop(state);
    if ('verdict' in read) return read;
    if ('missing' in read) {
      if (state?.phase !== 'authenticated') return this.#ask('missing', 'no credentials');
      return {
        verdict: { kind: 'admitted', scheme: state.scheme, principal: state.principal, constant: false },
        state,
      };
    }
    const { scheme, credentials } = read;
    const turn = scheme.judge(credentials, request, goesOn ? state.schemeState : undefined);
    return whenSettled(turn, (settled) => this.#step(scheme, settled));
  }

  /** The credentials and who judges them, that there are none, or what is wrong with them in any case. */
  #read(lines: readonly string[]): Read {
    const [line, second] = lines;
    if (second !== undefined) return malformed('more than one Proxy-Authorization');
    if (line === undefined) return { missing: true };
    const parsed = parseCredentials(line);
    if (!parsed.ok) return malformed(`Proxy-Authorization: expected ${parsed.fault.expected}`);
    const { credentials } = parsed;
    const scheme = this.#schemes.get(credentials.scheme);
    if (scheme !== undefined) return { scheme, credentials };
    return this.#ask('unsupported', `credentials of the scheme ${credentials.scheme}, which is not offered`);
  }

  #step(scheme: VerifierScheme, turn: VerifierTurn): GateStep {
    switch (turn.kind) {
      case 'accept': {
        const { name } = scheme;
        const { principal, epilogue } = turn;
        const state: GateState | undefined =
          scheme.binding === 'connection' ? { phase: 'authenticated', scheme: name, principal } : undefined;
        const said = epilogue === undefined ? {} : { epilogue };
        return {
          verdict: { kind: 'admitted', scheme: name, principal, constant: scheme.constant === true, ...said },
          state,
        };
      }
      case 'continue':
        return {
          verdict: { kind: 'ask', reason: 'continue', challenges: [turn.challenge], log: `next leg of ${scheme.name}` },
          state: { phase: 'handshake', scheme: scheme.name, schemeState: turn.state },
        };
      case 'reject':
        return this.#ask('rejected', turn.log, turn, this.#instead(scheme, turn.challenges));
      case 'stale':
        return this.#ask('stale', turn.log, undefined, this.#instead(scheme, turn.challenges));
      case 'malformed':
      case 'unavailable':
      case 'too-large':
        return { verdict: { kind: turn.kind, log: turn.log }, state: undefined };
      default:
        return turn satisfies never;
    }
  }

  /** All challenges, those of one scheme replaced by the ones that it made for this answer. */
  #instead(of: VerifierScheme, challenges: readonly Challenge[] | undefined): readonly Challenge[] {
    if (challenges === undefined) return this.offer();
    return [...this.#schemes.values()].flatMap((scheme) => (scheme === of ? challenges : scheme.offer()));
  }

  #ask(
    reason: AskReason,
    log: string,
    { user, why }: { readonly user?: string; readonly why?: string } = {},
    challenges: readonly Challenge[] = this.offer(),
  ): GateStep {
    const verdict: Verdict = {
      kind: 'ask',
      reason,
      challenges,
      log,
      ...(user === undefined ? {} : { user }),
      ...(why === undefined ? {} : { why }),
    };
    return { verdict, state: undefined };
  }
}

/** The `Proxy-Authenticate` lines of a verdict, one challenge a line. */
export function challengeLines(challenges: readonly Challenge[]): string[] {
  return challenges.map(formatMessage);
}
