import type { Challenge, Credentials, SchemeName } from './message.ts';

/** What may be computed at once or need I/O behind a port; the hot path never returns a promise. */
export type MaybePromise<T> = T | Promise<T>;

/**
 * Asks for `then` and not for `instanceof Promise`: a promise of another realm would pass for a value, and an unanswered
 * password check for a yes.
 */
export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value;
}

/** `next` of the value: at once where it is there, as a promise where it is one. */
export function whenSettled<T, R>(value: MaybePromise<T>, next: (settled: T) => MaybePromise<R>): MaybePromise<R> {
  return isPromise(value) ? value.then(next) : next(value);
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
  /**
   * The whole content of the request (RFC 9110 §6.4), which Digest hashes for `auth-int`; resolves to `undefined` where
   * it is too large to be held. Absent: the request has none.
   */
  readonly content?: () => Promise<Uint8Array | undefined>;
}

/** The same, as the client has them. */
export interface ClientRequestFacts extends RequestFacts {
  /** The name of the proxy that is asked, as configured. */
  readonly peerHost: string;
}

/** The parameters of `Proxy-Authentication-Info` (RFC 9110 §11.7.3): lower-case names, each at most once. */
export type AuthInfo = ReadonlyMap<string, string>;

/** What a proxy says of the negotiation beside an answer that is no 407. */
export interface Epilogue {
  readonly info: AuthInfo;
  /** Which of `info` are written as a token, without quotes; absent: none. */
  readonly bare?: ReadonlySet<string>;
  /** Challenges of this scheme: Negotiate ends its exchange with one (RFC 4559 §5). */
  readonly challenges: readonly Challenge[];
}

/** The client half of a scheme. Pure but for what a port handed in does. */
export interface ClientScheme<S = unknown> {
  readonly name: SchemeName;
  readonly binding: Binding;
  /** What {@link resume} sends may be refused though user and password are right: a nonce ages. Absent: never. */
  readonly perishable?: true;
  /**
   * Answers a 407. `challenges` are those of this scheme, in order, at least one (Digest offers one per algorithm).
   * `state` is undefined on the first leg, afterwards what the previous turn returned.
   */
  answer(
    challenges: readonly Challenge[],
    request: ClientRequestFacts,
    state: S | undefined,
  ): MaybePromise<ClientTurn<S>>;
  /**
   * Begins another exchange unasked, from the state in which a former one ended well. Absent: the proxy must ask first.
   * At once, so that two requests at a time never start from the same state.
   */
  resume?(request: ClientRequestFacts, state: S): Resumption<S>;
  /**
   * Hears what the proxy said beside an answer that is no 407: it may renew the state, or show that it is not who it
   * should be (mutual authentication), if only by saying nothing. Absent: nothing to hear.
   */
  conclude?(epilogue: Epilogue, request: ClientRequestFacts, state: S): MaybePromise<Conclusion<S>>;
}

export interface Resumption<S = unknown> {
  readonly turn: MaybePromise<ClientTurn<S>>;
  /** What the next exchange resumes from, while this one is still under way. */
  readonly next: S;
}

/** `impostor`: the proxy failed to prove that it knows the secret; its answer is not to be trusted. */
export type Conclusion<S = unknown> =
  | { readonly kind: 'trusted'; readonly state: S }
  | { readonly kind: 'impostor'; readonly detail: string };

export type ClientTurn<S = unknown> =
  | {
      readonly kind: 'send';
      readonly credentials: Credentials;
      readonly state: S;
      /** Default true. False where these prove nothing yet (an NTLM type 1): a 407 cannot be a rejection of them. */
      readonly complete?: boolean;
    }
  | Refusal;

export interface Refusal {
  readonly kind: 'refuse';
  readonly reason: RefuseReason;
  readonly detail: string;
}

/**
 * `rejected`: the peer did not accept complete credentials. The others: nothing was tried, another scheme may be.
 * `unsupported`: this half cannot do what is asked. `unexpected-token`: the challenge is malformed or out of turn.
 */
export type RefuseReason = 'rejected' | 'unsupported' | 'unexpected-token';

export function refuse(reason: RefuseReason, detail: string): Refusal {
  return { kind: 'refuse', reason, detail };
}

/** Who was recognised. */
export interface Principal {
  readonly name: string;
}

/** The verifier half of a scheme. */
export interface VerifierScheme<S = unknown> {
  readonly name: SchemeName;
  readonly binding: Binding;
  /** The same credentials are sent with every request, and are as good the next time (Basic, Bearer). Absent: they are not. */
  readonly constant?: true;
  /** The challenges of this scheme, preferred one first; at least one (Digest makes one per algorithm). */
  offer(): Challenge[];
  /** `state` is what the last `continue` on this connection returned. */
  judge(credentials: Credentials, request: RequestFacts, state: S | undefined): MaybePromise<VerifierTurn<S>>;
  /** The handshake that `continue` began will not go on: what its state holds (a helper program) is free again. */
  abandon?(state: S): void;
}

export type VerifierTurn<S = unknown> =
  | { readonly kind: 'accept'; readonly principal: Principal; readonly epilogue?: Epilogue }
  | { readonly kind: 'continue'; readonly challenge: Challenge; readonly state: S }
  /**
   * `user` is the name that was given, where there was one; `log` is for us, never for the peer. `challenges` in place
   * of those of {@link VerifierScheme.offer}.
   */
  | {
      readonly kind: 'reject';
      readonly user?: string;
      readonly log: string;
      /** What the client may be told: a fault of its manner, not of user or password. */
      readonly why?: string;
      readonly challenges?: readonly Challenge[];
    }
  /** Says nothing against user or password: the same credentials for these challenges will do (`stale=true`). */
  | { readonly kind: 'stale'; readonly log: string; readonly challenges: readonly Challenge[] }
  /** Not credentials of this scheme at all: a 400, not a 407. */
  | { readonly kind: 'malformed'; readonly log: string }
  /** The content is more than can be held until it has been verified: a 413. */
  | { readonly kind: 'too-large'; readonly log: string }
  /** What would know cannot be asked now (a directory, a helper program): neither yes nor no, a 503. */
  | { readonly kind: 'unavailable'; readonly log: string };
