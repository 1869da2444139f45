/** Scheme names are compared in lower case (RFC 9110 §11.1: case-insensitive). */
export type SchemeName = Lowercase<string>;

/**
 * One challenge or one set of credentials: `auth-scheme [ 1*SP ( token68 / #auth-param ) ]` (RFC 9110 §11.3, §11.4).
 * `params` has lower-case names, each at most once, in the order they came; empty where `token68` is there.
 */
export interface AuthMessage {
  readonly scheme: SchemeName;
  readonly token68?: string;
  readonly params: ReadonlyMap<string, string>;
  /** Names of parameters that are written as a token, without quotes, because peers insist; absent: all are quoted. */
  readonly bare?: ReadonlySet<string>;
}

/** What a proxy asks for: the value of `Proxy-Authenticate` holds one or more. */
export type Challenge = AuthMessage;

/** What a client gives: the value of `Proxy-Authorization` holds exactly one. */
export type Credentials = AuthMessage;

/** The token of a handshake that goes on, where one does. */
export function tokenOf(challenges: readonly Challenge[]): string | undefined {
  return challenges.find(({ token68 }) => token68 !== undefined)?.token68;
}

const NO_PARAMS: ReadonlyMap<string, string> = new Map();

/** A message with parameters; names are taken as given and must be lower case. `bare`: see {@link AuthMessage}. */
export function withParams(
  scheme: SchemeName,
  params: Iterable<readonly [string, string]> = [],
  bare?: ReadonlySet<string>,
): AuthMessage {
  return { scheme, params: new Map(params), ...(bare === undefined ? {} : { bare }) };
}

/** A message with a token68 (RFC 9110 §11.2), as Basic, Bearer, NTLM and Negotiate use it. */
export function withToken(scheme: SchemeName, token68: string): AuthMessage {
  return { scheme, token68, params: NO_PARAMS };
}
