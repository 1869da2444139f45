import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Entropy } from '../../entropy.ts';
import { AuthError } from '../../errors.ts';
import type { Secret } from '../../secret.ts';
import { wireText } from './algorithm.ts';

/**
 * The nonces of a verifier. They carry all that is to be known of them, so that they survive a restart, and every replica
 * with the same key knows them (RFC 7616 §3.3 sketches the like):
 *
 *     nonce = base64url( time random HMAC-SHA-256( key, label time random realm ) )
 *
 * `time` is 6 bytes of milliseconds since 1970. 48 bytes make 64 digits with no bit to spare, so a nonce has one spelling.
 */
export interface NonceMint {
  /** `now`: milliseconds since 1970. */
  mint(now: number): string;
  /** When a nonce was minted, in milliseconds since 1970; `undefined`: not by this key for this realm. Never throws. */
  mintedAt(nonce: string): number | undefined;
}

const TIME_LENGTH = 6;
const RANDOM_LENGTH = 10;
const HEAD_LENGTH = TIME_LENGTH + RANDOM_LENGTH;
const FORM = /^[A-Za-z0-9_-]{64}$/;
/** The key may have other uses: no code of theirs is one of ours. */
const LABEL = 'chain407 digest nonce\n';
/** Bytes; RFC 2104 §3 discourages keys shorter than the hash, and who holds one can make any nonce, and no response. */
const MIN_KEY = 16;

const bytesOf = (key: Secret | Uint8Array): Uint8Array =>
  key instanceof Uint8Array ? Uint8Array.from(key) : Buffer.from(key.reveal(), 'utf8');

/** Why a key cannot be used for nonces, or `undefined`. */
export function unusableNonceKey(key: Secret | Uint8Array): string | undefined {
  if (bytesOf(key).length >= MIN_KEY) return undefined;
  return `expected at least ${MIN_KEY} bytes, as \`openssl rand -base64 32\` prints them`;
}

/** Throws {@link AuthError} for a key of less than 16 bytes. */
export function nonceMint(key: Secret | Uint8Array, realm: string, entropy: Entropy): NonceMint {
  const bytes = bytesOf(key);
  const unusable = unusableNonceKey(key);
  if (unusable !== undefined) throw new AuthError('ERR_AUTH_INVALID_VALUE', `the key of Digest nonces: ${unusable}`);
  const codeOf = (head: Uint8Array): Buffer =>
    createHmac('sha256', bytes).update(LABEL).update(head).update(wireText(realm), 'latin1').digest();

  return {
    mint: (now) => {
      const head = Buffer.alloc(HEAD_LENGTH);
      head.writeUIntBE(Math.trunc(now), 0, TIME_LENGTH);
      head.set(entropy(RANDOM_LENGTH), TIME_LENGTH);
      return Buffer.concat([head, codeOf(head)]).toString('base64url');
    },
    mintedAt: (nonce) => {
      if (!FORM.test(nonce)) return undefined;
      const given = Buffer.from(nonce, 'base64url');
      const head = given.subarray(0, HEAD_LENGTH);
      if (!timingSafeEqual(given.subarray(HEAD_LENGTH), codeOf(head))) return undefined;
      return head.readUIntBE(0, TIME_LENGTH);
    },
  };
}
