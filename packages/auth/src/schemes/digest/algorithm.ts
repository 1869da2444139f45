import { createHash } from 'node:crypto';

/** The hashes of RFC 7616 §6.1, by the name that Node has for each. */
const HASHES = { 'SHA-512-256': 'sha512-256', 'SHA-256': 'sha256', MD5: 'md5' } as const;

export type DigestHash = keyof typeof HASHES;
export const DIGEST_HASHES = Object.keys(HASHES) as readonly DigestHash[];
export type DigestAlgorithm = DigestHash | `${DigestHash}-sess`;

/** Strongest first; what a session key adds does not outweigh a hash (RFC 7616 §3.7). */
export const DIGEST_ALGORITHMS: readonly DigestAlgorithm[] = DIGEST_HASHES.flatMap(
  (hash) => [hash, `${hash}-sess`] as const,
);

const BY_NAME: ReadonlyMap<string, DigestAlgorithm> = new Map(
  DIGEST_ALGORITHMS.map((algorithm) => [algorithm.toUpperCase(), algorithm]),
);

/** In any letter case, as others take them; `undefined` for an algorithm that we do not know. */
export function findAlgorithm(name: string): DigestAlgorithm | undefined {
  return BY_NAME.get(name.toUpperCase());
}

/** `SHA-256` of `SHA-256-sess`. */
export function hashOf(algorithm: DigestAlgorithm): DigestHash {
  return algorithm.replace(/-sess$/, '') as DigestHash;
}

/** True where the key depends on the nonces of the session as well (RFC 7616 §3.4.2). */
export function hasSession(algorithm: DigestAlgorithm): boolean {
  return algorithm.endsWith('-sess');
}

/** Hexadecimal digits of a hash. */
export function hexLength(algorithm: DigestAlgorithm): number {
  return hashOf(algorithm) === 'MD5' ? 32 : 64;
}

/**
 * `H(data)` of RFC 7616 §3.2 in lower-case hex. A text is hashed as it goes on the wire: one character, up to U+00FF, is
 * one byte (see {@link wireText}).
 */
export function hashHex(algorithm: DigestAlgorithm, data: string | Uint8Array): string {
  const hash = createHash(HASHES[hashOf(algorithm)]);
  return (typeof data === 'string' ? hash.update(data, 'latin1') : hash.update(data)).digest('hex');
}

/** Text as it goes into a header line: NFC in UTF-8 (RFC 7616 §4), one character a byte. */
export function wireText(text: string): string {
  return Buffer.from(text.normalize('NFC'), 'utf8').toString('latin1');
}
