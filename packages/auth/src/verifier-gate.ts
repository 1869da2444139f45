import { formatMessage, parseCredentials } from './grammar.ts';
import type { Challenge, SchemeName } from './message.ts';
import type { MaybePromise, Principal, RequestFacts, VerifierScheme, VerifierTurn } from './scheme.ts';
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

/** Why the client is asked (again). */
export type AskReason = 'missing' | 'unsupported' | 'rejected' | 'continue';

export type Verdict =
  | { readonly kind: 'admitted'; readonly scheme: SchemeName; readonly principal: Principal }
  | {
      readonly kind: 'ask';
      readonly reason: AskReason;
      readonly challenges: readonly Challenge[];
      readonly user?: string;
      readonly log: string;
    }
  | { readonly kind: 'malformed'; readonly log: string };

export interface GateStep {
  readonly verdict: Verdict;
  /** What to hand in with the next request of this connection; `undefined`: nothing is known. */
  readonly state: GateState | undefined;
}

/** The gate of one tier. Make one, use it for all requests. */
export class VerifierGate {
  readonly #schemes: ReadonlyMap<SchemeName, VerifierScheme>;

  /** `schemes` in the order in which they are offered; at least one. */
  constructor(schemes: readonly VerifierScheme[]) {
    this.#schemes = new Map(schemes.map((scheme) => [scheme.name, scheme]));
  }

  /** One challenge per scheme, in order. */
  offer(): Challenge[] {
    return [...this.#schemes.values()].map((scheme) => scheme.offer());
  }

  judge(lines: readonly string[], request: RequestFacts, state: GateState | undefined): MaybePromise<GateStep> {
    const [line, second] = lines;
    if (second !== undefined)
      return { verdict: { kind: 'malformed', log: 'more than one Proxy-Authorization' }, state: undefined };
    if (line === undefined) {
      if (state?.phase !== 'authenticated') return this.#ask('missing', 'no credentials');
      return { verdict: { kind: 'admitted', scheme: state.scheme, principal: state.principal }, state };
    }
    const parsed = parseCredentials(line);
    if (!parsed.ok)
      return {
        verdict: { kind: 'malformed', log: `Proxy-Authorization: expected ${parsed.fault.expected}` },
        state: undefined,
      };
    const { credentials } = parsed;
    const scheme = this.#schemes.get(credentials.scheme);
    if (scheme === undefined)
      return this.#ask('unsupported', `credentials of the scheme ${credentials.scheme}, which is not offered`);
    const schemeState = state?.phase === 'handshake' && state.scheme === scheme.name ? state.schemeState : undefined;
    return whenSettled(scheme.judge(credentials, request, schemeState), (turn) => this.#step(scheme, turn));
  }

  #step(scheme: VerifierScheme, turn: VerifierTurn): GateStep {
    switch (turn.kind) {
      case 'accept': {
        const { name } = scheme;
        const { principal } = turn;
        const state: GateState | undefined =
          scheme.binding === 'connection' ? { phase: 'authenticated', scheme: name, principal } : undefined;
        return { verdict: { kind: 'admitted', scheme: name, principal }, state };
      }
      case 'continue':
        return {
          verdict: { kind: 'ask', reason: 'continue', challenges: [turn.challenge], log: `next leg of ${scheme.name}` },
          state: { phase: 'handshake', scheme: scheme.name, schemeState: turn.state },
        };
      case 'reject':
        return this.#ask('rejected', turn.log, turn.user);
      case 'malformed':
        return { verdict: { kind: 'malformed', log: turn.log }, state: undefined };
      default:
        return turn satisfies never;
    }
  }

  #ask(reason: AskReason, log: string, user?: string): GateStep {
    const verdict: Verdict = {
      kind: 'ask',
      reason,
      challenges: this.offer(),
      log,
      ...(user === undefined ? {} : { user }),
    };
    return { verdict, state: undefined };
  }
}

/** The `Proxy-Authenticate` lines of a verdict, one challenge a line. */
export function challengeLines(challenges: readonly Challenge[]): string[] {
  return challenges.map(formatMessage);
}
