import { timingSafeEqual } from 'node:crypto';
import { Secret } from '../../secret.ts';
import type { DigestAlgorithm } from './algorithm.ts';
import { hashHex, hasSession, wireText } from './algorithm.ts';

/**
 * The computations of RFC 7616 §3.4, all over text in the form of {@link hashHex}:
 *
 *     response = KD( H(A1), nonce ":" nc ":" cnonce ":" qop ":" H(A2) )     KD(secret, data) = H(secret ":" data)
 *     response = KD( H(A1), nonce ":" H(A2) )                               without qop (RFC 2069 §2.1.2)
 */
export type Qop = 'auth' | 'auth-int';

/** What `qop` brings with it; none of it is there without (RFC 2069). */
export interface Protection {
  readonly qop: Qop;
  /** Eight hexadecimal digits, as they are written. */
  readonly nc: string;
  readonly cnonce: string;
}

/** What a response is about, but for the message. */
export interface Proof {
  readonly algorithm: DigestAlgorithm;
  /** `H(A1)`: {@link keyOf}. */
  readonly key: string;
  readonly nonce: string;
  readonly uri: string;
  readonly protection?: Protection;
}

/** `H(username ":" realm ":" password)`: A1 of the algorithms without `-sess` (RFC 7616 §3.4.2), hashed. */
export function ha1(algorithm: DigestAlgorithm, username: string, realm: string, password: string): string {
  return hashHex(algorithm, `${username}:${realm}:${password}`);
}

/** `H(username ":" realm)` (RFC 7616 §3.4.4). */
export function userhash(algorithm: DigestAlgorithm, username: string, realm: string): string {
  return hashHex(algorithm, `${username}:${realm}`);
}

/**
 * {@link ha1} as a verifier keeps it, over NFC in UTF-8 (RFC 7616 §4), in lower-case hex: what Digest proves, and as good
 * as the password in that realm.
 */
export function digestHa1(algorithm: DigestAlgorithm, username: string, realm: string, password: Secret): Secret {
  return new Secret(ha1(algorithm, wireText(username), wireText(realm), wireText(password.reveal())));
}

/** {@link userhash} by which a verifier that asked for it finds a user. */
export function digestUserhash(algorithm: DigestAlgorithm, username: string, realm: string): string {
  return userhash(algorithm, wireText(username), wireText(realm));
}

/** `H(A1)`: for `-sess` that of the session which these nonces began, otherwise `ha1` itself. */
export function keyOf(algorithm: DigestAlgorithm, ha1: string, nonce: string, cnonce: string): string {
  return hasSession(algorithm) ? hashHex(algorithm, `${ha1}:${nonce}:${cnonce}`) : ha1;
}

/** The `response` of a request. `content`: hashed for `auth-int` only; absent, the request has none. */
export function responseOf(proof: Proof, method: string, content?: Uint8Array): string {
  const isInt = proof.protection?.qop === 'auth-int';
  const entity = isInt ? `:${hashHex(proof.algorithm, content ?? '')}` : '';
  return digest(proof, `${method}:${proof.uri}${entity}`);
}

/** The `rspauth` of an answer to `qop=auth` (RFC 7616 §3.5): the same without a method. */
export function rspauthOf(proof: Proof): string {
  return digest(proof, `:${proof.uri}`);
}

function digest({ algorithm, key, nonce, protection }: Proof, a2: string): string {
  const signed = protection === undefined ? '' : `:${protection.nc}:${protection.cnonce}:${protection.qop}`;
  return hashHex(algorithm, `${key}:${nonce}${signed}:${hashHex(algorithm, a2)}`);
}

/** Compares two values in constant time; how long they are is no secret. */
export function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a, 'latin1'), Buffer.from(b, 'latin1')];
  return left.length === right.length && timingSafeEqual(left, right);
}
