import { randomBytes } from 'node:crypto';
import type { Clock, Entropy, Secret, VerifierScheme } from '@chain407/auth';
import { basicVerifier, bearerVerifier, digestVerifier, ntlmVerifier } from '@chain407/auth';
import type { StateStore } from '@chain407/core';
import type { UpstreamConfig } from './config.ts';
import { helperBasicVerifier } from './helper/basic-verifier.ts';
import { helperDigestAccounts } from './helper/digest-accounts.ts';
import { helperHandshake } from './helper/handshake.ts';
import type { HelperPool } from './helper/helper-pool.ts';
import type { Users } from './users/user-store.ts';

/** Schemes that `auth.schemes` may name. */
export const SCHEME_CHOICES = ['negotiate', 'ntlm', 'digest', 'basic', 'bearer'] as const;
export type SchemeChoice = (typeof SCHEME_CHOICES)[number];

/** Schemes that a helper program can verify, as `auth.helpers` names them. */
export const HELPER_CHOICES = ['basic', 'digest', 'ntlm', 'negotiate'] as const;
export type HelperChoice = (typeof HELPER_CHOICES)[number];
export type Helpers = { readonly [S in HelperChoice]?: HelperPool };

/** What verifiers are made from. */
export interface VerifierParts {
  readonly config: Pick<UpstreamConfig, 'realm' | 'auth'>;
  readonly users: Users;
  readonly helpers: Helpers;
  /** Which counts of Digest nonces were used. */
  readonly state: StateStore;
  /** Of Digest nonces; absent: another one at every start. */
  readonly digestKey?: Secret;
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
  digest: digestOf,
  basic: ({ config: { realm }, users, helpers: { basic } }) =>
    basic === undefined
      ? basicVerifier(realm, (username, password) => users.check(username, password))
      : helperBasicVerifier(realm, basic),
  bearer: ({ config: { realm }, users }) => bearerVerifier(realm, (token) => users.tokenUser(token)),
};

/** Bytes; as long as the code of a nonce. */
const KEY_LENGTH = 32;

function digestOf({
  config: { realm, auth },
  users,
  helpers: { digest: helper },
  digestKey,
  state,
}: VerifierParts): VerifierScheme {
  const { algorithms, ...options } = auth.digest;
  const known = helper && helperDigestAccounts({ pool: helper, realm });
  return digestVerifier(
    // Helpers know the hashes of MD5 alone, and hashed names of nobody.
    {
      ...options,
      ...(known === undefined ? { algorithms } : { algorithms: ['MD5'], userhash: false }),
      realm,
      key: digestKey ?? randomBytes(KEY_LENGTH),
    },
    {
      ...PORTS,
      findAccount: (name, algorithm) =>
        known === undefined
          ? users.digestAccount(name, algorithm, realm)
          : 'username' in name
            ? known(name.username)
            : undefined,
      useCount: (nonce, nc, expires) => state.useCount(nonce, nc, expires),
    },
  );
}

/** The verifiers of the tier, in the order in which they are offered. */
export function createVerifiers(parts: VerifierParts): VerifierScheme[] {
  return parts.config.auth.schemes.map((scheme) => VERIFIERS[scheme](parts));
}
