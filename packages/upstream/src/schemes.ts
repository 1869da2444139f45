import type { VerifierScheme } from '@chain407/auth';
import { basicVerifier } from '@chain407/auth';
import type { UserStore } from './users/user-store.ts';

/** Schemes that `auth.schemes` may name. */
export const SCHEME_CHOICES = ['basic'] as const;
export type SchemeChoice = (typeof SCHEME_CHOICES)[number];

/** How each is verified with the users of the tier. */
export const VERIFIERS: { readonly [S in SchemeChoice]: (realm: string, users: UserStore) => VerifierScheme } = {
  basic: (realm, users) => basicVerifier(realm, (username, password) => users.check(username, password)),
};
