import type { MaybePromise, Principal, VerifierScheme, VerifierTurn } from '../../scheme.ts';
import { whenSettled } from '../../scheme.ts';
import type { Secret } from '../../secret.ts';
import { bearerChallenge, readBearer } from './wire.ts';

/** The port behind the verifier: whose token this is; `undefined` for one that is not known, was forged or withdrawn. */
export type CheckToken = (token: Secret) => MaybePromise<TokenOwner>;

/** `expired`: it was good, and the client should fetch another. */
export type TokenOwner = Principal | 'expired' | undefined;

/** The verifier half of Bearer (RFC 6750). Throws {@link AuthError} for a realm that no header line can hold. */
export function bearerVerifier(realm: string, checkToken: CheckToken): VerifierScheme<never> {
  const challenge = bearerChallenge(realm);
  // RFC 6750 §3.1: a request without any token is told no error, one with a bad token is told `invalid_token`.
  const rejection = (description: string, log: string): VerifierTurn<never> => ({
    kind: 'reject',
    log,
    challenges: [bearerChallenge(realm, { error: 'invalid_token', error_description: description })],
  });
  const expired = rejection('The access token expired', 'the token has expired');
  const unknown = rejection('The access token is not valid', 'unknown token');
  const turn = (owner: TokenOwner): VerifierTurn<never> => {
    if (owner === undefined) return unknown;
    return owner === 'expired' ? expired : { kind: 'accept', principal: owner };
  };
  return {
    name: 'bearer',
    binding: 'message',
    constant: true,
    offer: () => [challenge],
    judge: (credentials) => {
      const read = readBearer(credentials);
      // RFC 6750 §3.1, `invalid_request`: a 400.
      if (!read.ok) return { kind: 'malformed', log: read.why };
      return whenSettled(checkToken(read.token), turn);
    },
  };
}
