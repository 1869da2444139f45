import type { DigestHash, Secret } from '@chain407/auth';
import { DIGEST_HASHES } from '@chain407/auth';
import type { StoredPassword } from './password-hash.ts';

/** What a user is recognised by, as an entry of `users` has it. */
export type Proof =
  | { readonly kind: 'password'; readonly password: Secret }
  | { readonly kind: 'hash'; readonly hash: StoredPassword }
  /** `ha1` holds only in `realm`. */
  | { readonly kind: 'ha1'; readonly algorithm: DigestHash; readonly realm: string; readonly ha1: Secret }
  | { readonly kind: 'nt-hash'; readonly ntHash: Secret }
  | { readonly kind: 'token'; readonly token: Secret };

/**
 * What a user can do with a proof. Of each at most one proof can decide. An NT hash and an HA1 could serve Basic as well;
 * they do not, so that a bcrypt hash can stand beside them.
 */
export type Use = 'basic' | `digest ${DigestHash}` | 'ntlm' | 'bearer';

/** Without Bearer: a token is made, never typed. */
const USES_OF_PASSWORD: readonly Use[] = [
  'basic',
  ...DIGEST_HASHES.map((algorithm): Use => `digest ${algorithm}`),
  'ntlm',
];

export function usesOf(proof: Proof): readonly Use[] {
  switch (proof.kind) {
    case 'password':
      return USES_OF_PASSWORD;
    case 'hash':
      return ['basic'];
    case 'ha1':
      return [`digest ${proof.algorithm}`];
    case 'nt-hash':
      return ['ntlm'];
    case 'token':
      return ['bearer'];
    default:
      return proof satisfies never;
  }
}

/** The scheme of a use, as `auth.schemes` names it. */
export function schemeOf(use: Use): string {
  return use.startsWith('digest ') ? 'digest' : use;
}
