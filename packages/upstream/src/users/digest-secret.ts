import { createHash } from 'node:crypto';
import { Secret } from '@chain407/auth';

/** The algorithms of RFC 7616 §6.1, less `-sess`, by the name that Node has for each. */
const HASHES = { MD5: 'md5', 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256' } as const;

export type DigestAlgorithm = keyof typeof HASHES;
export const DIGEST_ALGORITHMS = Object.keys(HASHES) as readonly DigestAlgorithm[];

/** `SHA-256` of `SHA-256-sess`, in any letter case; `undefined` for an algorithm that we do not know. */
export function baseAlgorithm(algorithm: string): DigestAlgorithm | undefined {
  const base = algorithm.toUpperCase().replace(/-SESS$/, '');
  return DIGEST_ALGORITHMS.find((known) => known === base);
}

const hash = (algorithm: DigestAlgorithm, text: string): string =>
  createHash(HASHES[algorithm]).update(text.normalize('NFC')).digest('hex');

/**
 * `H(user ":" realm ":" password)` (RFC 7616 §3.4.2), in lower-case hex, over NFC in UTF-8 (§4): what Digest proves, and
 * as good as the password in that realm.
 */
export function digestSecret(algorithm: DigestAlgorithm, user: string, realm: string, password: Secret): Secret {
  return new Secret(hash(algorithm, `${user}:${realm}:${password.reveal()}`));
}

/** `H(user ":" realm)` (RFC 7616 §3.4.4): what a client gives in place of the name where it hides it. */
export function userhash(algorithm: DigestAlgorithm, user: string, realm: string): string {
  return hash(algorithm, `${user}:${realm}`);
}
