import { randomBytes } from 'node:crypto';
import type { Clock, Entropy, VerifierScheme } from '@chain407/auth';
import { basicVerifier, bearerVerifier, ntlmVerifier } from '@chain407/auth';
import type { UpstreamConfig } from './config.ts';
import { helperBasicVerifier } from './helper/basic-verifier.ts';
import { helperHandshake } from './helper/handshake.ts';
import type { HelperPool } from './helper/helper-pool.ts';
import type { UserStore } from './users/user-store.ts';

/** Schemes that `auth.schemes` may name. */
export const SCHEME_CHOICES = ['negotiate', 'ntlm', 'basic', 'bearer'] as const;
export type SchemeChoice = (typeof SCHEME_CHOICES)[number];

/** Schemes that a helper program can verify, as `auth.helpers` names them. */
export const HELPER_CHOICES = ['basic', 'ntlm', 'negotiate'] as const;
export type HelperChoice = (typeof HELPER_CHOICES)[number];
export type Helpers = { readonly [S in HelperChoice]?: HelperPool };

/** What verifiers are made from. */
export interface VerifierParts {
  readonly config: Pick<UpstreamConfig, 'realm' | 'auth'>;
  readonly users: UserStore;
  readonly helpers: Helpers;
}

const PORTS: { readonly entropy: Entropy; readonly clock: Clock } = { entropy: randomBytes, clock: Date.now };

/** How each scheme is verified: by its helper where there is one, else with the users of the tier. */
const VERIFIERS: { readonly [S in SchemeChoice]: (parts: VerifierParts) => VerifierScheme } = {
  negotiate: ({ helpers: { negotiate } }) => {
    if (negotiate === undefined) throw new TypeError('negotiate is verified by a helper only');
    return helperHandshake('negotiate', negotiate);
  },
  ntlm: ({ config: { auth }, users, helpers: { ntlm } }) =>
    ntlm === undefined
      ? ntlmVerifier(
          { target: auth.ntlm, oemNames: true },
          { ...PORTS, findAccount: (domain, user) => users.ntAccount(domain, user) },
        )
      : helperHandshake('ntlm', ntlm),
  basic: ({ config: { realm }, users, helpers: { basic } }) =>
    basic === undefined
      ? basicVerifier(realm, (username, password) => users.check(username, password))
      : helperBasicVerifier(realm, basic),
  bearer: ({ config: { realm }, users }) => bearerVerifier(realm, (token) => users.tokenUser(token)),
};

/** The verifiers of the tier, in the order in which they are offered. */
export function createVerifiers(parts: VerifierParts): VerifierScheme[] {
  return parts.config.auth.schemes.map((scheme) => VERIFIERS[scheme](parts));
}
