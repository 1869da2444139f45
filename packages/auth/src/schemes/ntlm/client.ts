import type { Clock, Entropy } from '../../entropy.ts';
import { AuthError } from '../../errors.ts';
import { tokenOf, withToken } from '../../message.ts';
import type { ClientRequestFacts, ClientScheme, ClientTurn } from '../../scheme.ts';
import { refuse } from '../../scheme.ts';
import type { Secret } from '../../secret.ts';
import { ntlmName } from './account.ts';
import type { AvPair } from './av-pairs.ts';
import { AV_ID, avText, avValue, decodeAvPairs, withMicAnnounced } from './av-pairs.ts';
import { encodeClientChallenge, fileTime } from './client-challenge.ts';
import { lmv2Response, messageIntegrityCode, ntHash, ntProof, responseKey, sessionBaseKey } from './crypto.ts';
import { flagsOf, hasFlag } from './flags.ts';
import { decodeToken, encodeMessage, MIC_AT, MIC_LENGTH } from './wire.ts';

export interface NtlmAccount {
  /** `user`, `DOMAIN\user` or `user@domain`. */
  readonly username: string;
  /** Of a `username` that names none itself. Default: none. */
  readonly domain?: string;
  /** The name of this machine; it is told to the proxy. Default: none. */
  readonly workstation?: string;
  /** `ntHash`: 32 hexadecimal digits. */
  readonly secret: { readonly password: Secret } | { readonly ntHash: Secret };
}

export interface NtlmClientPorts {
  readonly entropy: Entropy;
  readonly clock: Clock;
}

/** `negotiated` once the type 1 has gone out, `answered` once the type 3 has: another challenge then is a rejection. */
export type NtlmClientState = 'negotiated' | 'answered';

/** What Chromium asks for, but for OEM. Neither SIGN, SEAL nor KEY_EXCH: HTTP has nothing that they would protect. */
const ASKED = flagsOf(
  'NEGOTIATE_UNICODE',
  'REQUEST_TARGET',
  'NEGOTIATE_NTLM',
  'NEGOTIATE_ALWAYS_SIGN',
  'NEGOTIATE_EXTENDED_SESSIONSECURITY',
);
/** What may be in the type 3: of what we can do, that which the server does as well. */
const ABLE = (ASKED | flagsOf('NEGOTIATE_TARGET_INFO')) >>> 0;

/** In UTF-16 code units: the longest name that a directory has is a UPN of 1,024 (MS-ADTS). */
const MAX_NAME = 1024;
/** In bytes. A server says less than one kilobyte; what we add must fit into the 65,535 of a field as well. */
const MAX_TARGET_INFO = 32_768;

/**
 * The client half of NTLM (MS-NLMP, MS-NTHT): NTLMv2 only, in Unicode, with a MIC where the server knows the time. `name`
 * `negotiate`: the same tokens under the other scheme, as Windows proxies take them.
 * The key of the responses is computed once, here. Throws {@link AuthError} for an NT hash that is none and for a name
 * of more than 1,024 characters.
 */
export function ntlmClient(
  account: NtlmAccount,
  ports: NtlmClientPorts,
  name: 'ntlm' | 'negotiate' = 'ntlm',
): ClientScheme<NtlmClientState> {
  const { user, domain } = ntlmName(account.username, account.domain);
  const { workstation = '', secret } = account;
  if (Math.max(user.length, domain.length, workstation.length) > MAX_NAME) {
    throw new AuthError('ERR_AUTH_INVALID_VALUE', `NTLM: a user, domain or workstation of over ${MAX_NAME} characters`);
  }
  const key = responseKey('password' in secret ? ntHash(secret.password) : secret.ntHash, user, domain);
  const negotiate = encodeMessage({ type: 1, flags: ASKED, domain: '', workstation: '' });
  const opening: ClientTurn<NtlmClientState> = {
    kind: 'send',
    credentials: withToken(name, negotiate.toString('base64')),
    state: 'negotiated',
    complete: false,
  };

  function authenticate(token68: string, { peerHost }: ClientRequestFacts): ClientTurn<NtlmClientState> {
    const decoded = decodeToken(token68);
    if (!decoded.ok) return refuse('unexpected-token', `the proxy's answer to NTLM type 1: ${decoded.why}`);
    const { message: challenge } = decoded;
    if (challenge.type !== 2) {
      return refuse('unexpected-token', `the proxy answered NTLM type 1 with type ${challenge.type}, expected type 2`);
    }
    const unable = whyUnable(challenge.flags, challenge.targetInfo);
    if (unable !== undefined) return refuse('unsupported', `NTLM type 2 of the proxy: ${unable}`);
    const given = decodeAvPairs(challenge.targetInfo ?? Buffer.alloc(0));
    if (!given.ok) return refuse('unexpected-token', `NTLM type 2 of the proxy: ${given.why}`);

    const theirTime = avValue(given.pairs, AV_ID.Timestamp);
    const timed = theirTime?.length === 8;
    const nonce = ports.entropy(8);
    const pairs = targetInfo(given.pairs, peerHost, timed);
    const temp = encodeClientChallenge({ timestamp: timed ? theirTime : fileTime(ports.clock), nonce, pairs });
    const proof = ntProof(key, challenge.serverChallenge, temp);
    const bytes = encodeMessage({
      type: 3,
      flags: (challenge.flags & ABLE) >>> 0,
      domain,
      user,
      workstation,
      lmResponse: timed ? Buffer.alloc(24) : lmv2Response(key, challenge.serverChallenge, nonce),
      ntResponse: Buffer.concat([proof, temp]),
      sessionKey: Buffer.alloc(0),
      ...(timed ? { mic: Buffer.alloc(MIC_LENGTH) } : {}),
    });
    if (timed) bytes.set(messageIntegrityCode(sessionBaseKey(key, proof), negotiate, decoded.bytes, bytes), MIC_AT);
    return { kind: 'send', credentials: withToken(name, bytes.toString('base64')), state: 'answered' };
  }

  return {
    name,
    binding: 'connection',
    resume: (_request, state) => ({ turn: opening, next: state }),
    answer: (challenges, request, state) => {
      const token68 = tokenOf(challenges);
      if (state === undefined) {
        if (token68 === undefined) return opening;
        return refuse('unexpected-token', 'the proxy opened NTLM with a token: type 1 is for the client to send');
      }
      if (state === 'answered') {
        if (token68 === undefined) return refuse('rejected', 'user name or password not accepted');
        return refuse('unexpected-token', 'the proxy answered NTLM type 3, which is the last, with another token');
      }
      if (token68 !== undefined) return authenticate(token68, request);
      return refuse('unexpected-token', 'the proxy answered NTLM type 1 without a type 2: it lost the handshake');
    },
  };
}

/** Why NTLMv2 cannot answer such a challenge. */
function whyUnable(flags: number, info: Uint8Array | undefined): string | undefined {
  if (!hasFlag(flags, 'NEGOTIATE_UNICODE')) return 'no Unicode, which NTLMv2 is spoken in here';
  if (info === undefined || info.length === 0) return 'no target info, so NTLMv1 only, which is not spoken';
  if (info.length > MAX_TARGET_INFO) return `target info of ${info.length} bytes, more than ${MAX_TARGET_INFO}`;
  return undefined;
}

/**
 * The server's target info with ours (MS-NLMP §3.1.5.1.2): that there is a MIC, no channel bindings (zeros: there is no TLS
 * session that both sides would hash alike), and which service is meant, so that another one cannot use the response.
 */
function targetInfo(given: readonly AvPair[], peerHost: string, mic: boolean): AvPair[] {
  const kept = given.filter(({ id }) => id !== AV_ID.ChannelBindings && id !== AV_ID.TargetName);
  return [
    ...(mic ? withMicAnnounced(kept) : kept),
    { id: AV_ID.ChannelBindings, value: Buffer.alloc(16) },
    avText(AV_ID.TargetName, `HTTP/${peerHost}`),
  ];
}
