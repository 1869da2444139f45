import type { MaybePromise, Principal, VerifierScheme, VerifierTurn } from '../../scheme.ts';
import { whenSettled } from '../../scheme.ts';
import type { Secret } from '../../secret.ts';
import { basicChallenge, decodeBasic } from './wire.ts';

/**
 * The port behind the verifier: who this is, or `undefined` where name and password do not fit. Both come in NFC
 * (RFC 7617 §2.1): what they are compared with must be normalised too.
 */
export type CheckPassword = (username: string, password: Secret) => MaybePromise<Principal | undefined>;

/** As {@link CheckPassword}, where there is more to say than yes or no. */
export type JudgePassword = (username: string, password: Secret) => MaybePromise<VerifierTurn<never>>;

/** The verifier half of Basic (RFC 7617). Throws {@link AuthError} for a realm that no header line can hold. */
export function basicVerifier(realm: string, checkPassword: CheckPassword): VerifierScheme<never> {
  return basicVerifierBy(realm, (user, password) =>
    whenSettled(checkPassword(user, password), (principal) => turn(user, principal)),
  );
}

/** The same with a judge of one's own. */
export function basicVerifierBy(realm: string, judgePassword: JudgePassword): VerifierScheme<never> {
  const challenge = basicChallenge(realm);
  return {
    name: 'basic',
    binding: 'message',
    constant: true,
    offer: () => [challenge],
    judge: (credentials) => {
      const decoded = decodeBasic(credentials);
      if (!decoded.ok) return { kind: 'malformed', log: decoded.why };
      const { username, password } = decoded.userPass;
      return judgePassword(username, password);
    },
  };
}

function turn(user: string, principal: Principal | undefined): VerifierTurn<never> {
  return principal === undefined
    ? { kind: 'reject', user, log: 'unknown user or wrong password' }
    : { kind: 'accept', principal };
}
