import type { Challenge, Credentials, SchemeName } from './message.ts';

/** What may be computed at once or need I/O behind a port; the hot path never returns a promise. */
export type MaybePromise<T> = T | Promise<T>;

/**
 * `next` of the value: at once where it is there, as a promise where it is one. Asks for `then` and not for
 * `instanceof Promise`: a promise of another realm would pass for a value, and an unanswered password check for a yes.
 */
export function whenSettled<T extends object | undefined, R>(
  value: MaybePromise<T>,
  next: (settled: T) => R,
): MaybePromise<R> {
  return value !== undefined && 'then' in value ? value.then(next) : next(value);
}

/**
 * All that a driver must know about sockets. `connection`: every leg of an exchange on one connection, which then
 * belongs to the user (NTLM; Negotiate, RFC 4559 §6). `message`: any connection.
 */
export type Binding = 'message' | 'connection';

/** Facts of the request that a scheme may need. Headers and sockets are not among them. */
export interface RequestFacts {
  readonly method: string;
  /** The request-target as it goes on the wire, byte for byte. */
  readonly target: string;
  /** The name of the proxy that is asked, as configured. */
  readonly peerHost: string;
}

/** The client half of a scheme. Pure but for what a port handed in does. */
export interface ClientScheme<S = unknown> {
  readonly name: SchemeName;
  readonly binding: Binding;
  /**
   * Answers a 407. `challenges` are those of this scheme, in order, at least one (Digest offers one per algorithm).
   * `state` is undefined on the first leg, afterwards what the previous turn returned.
   */
  answer(challenges: readonly Challenge[], request: RequestFacts, state: S | undefined): MaybePromise<ClientTurn<S>>;
}

export type ClientTurn<S = unknown> =
  | {
      readonly kind: 'send';
      readonly credentials: Credentials;
      readonly state: S;
      /** Default true. False where these prove nothing yet (an NTLM type 1): a 407 cannot be a rejection of them. */
      readonly complete?: boolean;
    }
  | { readonly kind: 'refuse'; readonly reason: RefuseReason; readonly detail: string };

/** `rejected`: the peer did not accept complete credentials. The others: nothing was tried, another scheme may be. */
export type RefuseReason = 'rejected' | 'unsupported' | 'unexpected-token';

/** Who was recognised. */
export interface Principal {
  readonly name: string;
}

/** The verifier half of a scheme. */
export interface VerifierScheme<S = unknown> {
  readonly name: SchemeName;
  readonly binding: Binding;
  offer(): Challenge;
  /** `state` is what the last `continue` on this connection returned. */
  judge(credentials: Credentials, request: RequestFacts, state: S | undefined): MaybePromise<VerifierTurn<S>>;
}

export type VerifierTurn<S = unknown> =
  | { readonly kind: 'accept'; readonly principal: Principal }
  | { readonly kind: 'continue'; readonly challenge: Challenge; readonly state: S }
  /** `user` is the name that was given, where there was one; `log` is for us, never for the peer. */
  | { readonly kind: 'reject'; readonly user?: string; readonly log: string }
  /** Not credentials of this scheme at all: a 400, not a 407. */
  | { readonly kind: 'malformed'; readonly log: string };
