/// <reference path="./js-md4.d.ts" />
import { createHmac } from 'node:crypto';
import md4Library from 'js-md4';
import { AuthError } from '../../errors.ts';
import { Secret } from '../../secret.ts';

const NT_HASH = /^[0-9A-Fa-f]{32}$/;

/** MD4 (RFC 1320), from a library: Node's own needs OpenSSL's legacy provider. */
export function md4(message: Uint8Array): Buffer {
  return Buffer.from(md4Library.arrayBuffer(message));
}

function hmacMd5(key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  const hmac = createHmac('md5', key);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

/**
 * The NT hash of a password, NTOWFv1 (MS-NLMP §3.3.1), in 32 hexadecimal digits. As good as the password itself to whoever
 * reads it, hence a {@link Secret}. The password is taken as it stands, as Windows does: in no normal form.
 */
export function ntHash(password: Secret): Secret {
  return new Secret(md4(Buffer.from(password.reveal(), 'utf16le')).toString('hex'));
}

/** Why a text cannot be used as an NT hash, or `undefined`. */
export function unusableNtHash(hash: Secret): string | undefined {
  if (NT_HASH.test(hash.reveal())) return undefined;
  return 'expected 32 hexadecimal digits, as `chain407 hash --kind nt` prints them';
}

/**
 * Upper case as Windows knows it: one UTF-16 code unit at a time, and a letter that would become two (ß) stays itself.
 */
function upperCase(name: string): string {
  return name.replace(/[\s\S]/g, (unit) => {
    const upper = unit.toUpperCase();
    return upper.length === 1 ? upper : unit;
  });
}

/**
 * NTOWFv2 (MS-NLMP §3.3.2): the key of all responses of one account. Throws {@link AuthError} for what is no NT hash: an
 * empty one would be a key that everybody knows.
 */
export function responseKey(hash: Secret, user: string, domain: string): Buffer {
  const unusable = unusableNtHash(hash);
  if (unusable !== undefined) throw new AuthError('ERR_AUTH_INVALID_VALUE', `not an NT hash: ${unusable}`);
  return hmacMd5(Buffer.from(hash.reveal(), 'hex'), Buffer.from(upperCase(user) + domain, 'utf16le'));
}

/** NTProofStr (MS-NLMP §3.3.2). `temp` is the NTLMv2_CLIENT_CHALLENGE with the four zero bytes that follow it. */
export function ntProof(key: Uint8Array, serverChallenge: Uint8Array, temp: Uint8Array): Buffer {
  return hmacMd5(key, serverChallenge, temp);
}

/** LMv2_RESPONSE (MS-NLMP §2.2.2.4): NTLMv2 for servers without a timestamp; of the LAN Manager hash it has only the name. */
export function lmv2Response(key: Uint8Array, serverChallenge: Uint8Array, clientChallenge: Uint8Array): Buffer {
  return Buffer.concat([hmacMd5(key, serverChallenge, clientChallenge), clientChallenge]);
}

/** SessionBaseKey (MS-NLMP §3.3.2). Without KEY_EXCH it is the ExportedSessionKey as well (§3.1.5.1.2). */
export function sessionBaseKey(key: Uint8Array, proof: Uint8Array): Buffer {
  return hmacMd5(key, proof);
}

/** The MIC (MS-NLMP §3.1.5.1.2) over all three messages as they were on the wire, the last with a MIC of zeros. */
export function messageIntegrityCode(
  sessionKey: Uint8Array,
  negotiate: Uint8Array,
  challenge: Uint8Array,
  authenticate: Uint8Array,
): Buffer {
  return hmacMd5(sessionKey, negotiate, challenge, authenticate);
}
