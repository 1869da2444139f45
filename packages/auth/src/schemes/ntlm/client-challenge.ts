import type { Clock } from '../../entropy.ts';
import type { AvPair } from './av-pairs.ts';
import { decodeAvPairs, encodeAvPairs } from './av-pairs.ts';

/** NTLMv2_CLIENT_CHALLENGE (MS-NLMP §2.2.2.7): what the proof of an NTLMv2 response is about. */
export interface ClientChallenge {
  /** A FILETIME in 8 bytes: the server's own, where it gave one. */
  readonly timestamp: Uint8Array;
  /** 8 random bytes. */
  readonly nonce: Uint8Array;
  readonly pairs: readonly AvPair[];
}

/** NTLMv2_RESPONSE (MS-NLMP §2.2.2.8), its proof apart from `temp`, the bytes that are proved. */
export interface Ntlmv2Response {
  readonly proof: Uint8Array;
  readonly temp: Uint8Array;
  readonly challenge: ClientChallenge;
}

export type DecodedNtlmv2Response =
  | { readonly ok: true; readonly response: Ntlmv2Response }
  | { readonly ok: false; readonly why: string };

const PROOF_LENGTH = 16;
/** RespType and HiRespType: both are 1, and there are no others. */
const VERSION = Buffer.from([1, 1]);
const PAIRS_AT = 28;

/** `temp` of MS-NLMP §3.3.2. */
export function encodeClientChallenge({ timestamp, nonce, pairs }: ClientChallenge): Buffer {
  return Buffer.concat([
    VERSION,
    Buffer.alloc(6),
    timestamp,
    nonce,
    Buffer.alloc(4),
    encodeAvPairs(pairs),
    Buffer.alloc(4),
  ]);
}

/** Reads an NT response that is no NTLMv1 (24 bytes). Never throws. */
export function decodeNtlmv2Response(bytes: Uint8Array): DecodedNtlmv2Response {
  const temp = bytes.subarray(PROOF_LENGTH);
  if (temp.length < PAIRS_AT) return { ok: false, why: `an NT response of ${bytes.length} bytes` };
  if (!VERSION.equals(temp.subarray(0, 2))) return { ok: false, why: 'an NT response of a version that is not 1' };
  const decoded = decodeAvPairs(temp.subarray(PAIRS_AT));
  if (!decoded.ok) return { ok: false, why: `in the NT response ${decoded.why}` };
  const challenge = { timestamp: temp.subarray(8, 16), nonce: temp.subarray(16, 24), pairs: decoded.pairs };
  return { ok: true, response: { proof: bytes.subarray(0, PROOF_LENGTH), temp, challenge } };
}

/** Milliseconds from 1601, where a FILETIME begins, to 1970. */
const EPOCH = 11_644_473_600_000n;
const TICKS_PER_MILLISECOND = 10_000n;

/** A FILETIME (MS-DTYP §2.3.3) of now: 8 bytes, in units of 100 ns. */
export function fileTime(clock: Clock): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE((BigInt(Math.trunc(clock())) + EPOCH) * TICKS_PER_MILLISECOND);
  return bytes;
}

/** A FILETIME for people; no 64 bits are beyond what a `Date` holds. */
export function showFileTime(bytes: Uint8Array): string {
  if (bytes.length !== 8) return `not a time: ${bytes.length} bytes`;
  return new Date(Number(Buffer.from(bytes).readBigUInt64LE() / TICKS_PER_MILLISECOND - EPOCH)).toISOString();
}
