import { timingSafeEqual } from 'node:crypto';
import { hasControls } from '../../controls.ts';
import type { Clock, Entropy } from '../../entropy.ts';
import type { Credentials } from '../../message.ts';
import { withParams, withToken } from '../../message.ts';
import type { MaybePromise, Principal, VerifierScheme, VerifierTurn } from '../../scheme.ts';
import { whenSettled } from '../../scheme.ts';
import { Secret } from '../../secret.ts';
import type { AvPair } from './av-pairs.ts';
import { AV_ID, announcesMic, avText, encodeAvPairs } from './av-pairs.ts';
import type { Ntlmv2Response } from './client-challenge.ts';
import { decodeNtlmv2Response, fileTime } from './client-challenge.ts';
import { messageIntegrityCode, ntProof, responseKey, sessionBaseKey } from './crypto.ts';
import { flagsOf, hasFlag } from './flags.ts';
import type { AuthenticateMessage, NegotiateMessage } from './wire.ts';
import { decodeToken, encodeMessage, MIC_AT, MIC_LENGTH } from './wire.ts';

/** Who the verifier says it is; clients show it, and hash it into their responses. */
export interface NtlmTarget {
  /** NetBIOS names. */
  readonly domain: string;
  readonly computer: string;
  /** Default: not told. */
  readonly dnsDomain?: string;
  readonly dnsComputer?: string;
}

export interface NtlmVerifierOptions {
  readonly target: NtlmTarget;
  /**
   * Takes names in an OEM code page from clients that do not write Unicode (curl without SSPI), as long as they are ASCII.
   * Default false: such clients are refused.
   */
  readonly oemNames?: boolean;
}

/** An account as the verifier must know it: the hash is that of the password ({@link ntHash}). */
export interface NtlmUser {
  readonly principal: Principal;
  readonly ntHash: Secret;
}

export interface NtlmVerifierPorts {
  readonly entropy: Entropy;
  readonly clock: Clock;
  /** As the client wrote them: `domain` is empty where `user` is a UPN, or where the client knows none. */
  readonly findAccount: (domain: string, user: string) => MaybePromise<NtlmUser | undefined>;
}

/** Both messages so far, as they were on the wire: the MIC is over them. */
export interface NtlmVerifierState {
  readonly negotiate: Uint8Array;
  readonly challenge: Uint8Array;
  readonly serverChallenge: Uint8Array;
}

type Turn = VerifierTurn<NtlmVerifierState>;

/** What is granted where the client asks for it. SIGN, SEAL and KEY_EXCH are not. */
const GRANTED = flagsOf('REQUEST_TARGET', 'NEGOTIATE_ALWAYS_SIGN', 'NEGOTIATE_EXTENDED_SESSIONSECURITY');
const ALWAYS = flagsOf('NEGOTIATE_NTLM', 'TARGET_TYPE_DOMAIN', 'NEGOTIATE_TARGET_INFO');
const NTLMV1_LENGTH = 24;
// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII, and nothing else
const ASCII = /^[\x00-\x7f]*$/;

const malformed = (why: string): Turn => ({ kind: 'malformed', log: `NTLM credentials: ${why}` });

/**
 * The verifier half of NTLM (MS-NLMP §3.2, MS-NTHT): NTLMv2 only. A response is checked against the server challenge of the
 * same connection, whatever target info and time it echoes; its MIC is checked where the client announces one.
 * Throws {@link AuthError} for an account whose hash is no NT hash.
 */
export function ntlmVerifier(
  options: NtlmVerifierOptions,
  ports: NtlmVerifierPorts,
): VerifierScheme<NtlmVerifierState> {
  const { target, oemNames = false } = options;
  const { entropy, clock, findAccount } = ports;
  /** What an unknown user is checked against, so that the time taken tells nothing. */
  const decoy = new Secret(Buffer.from(entropy(16)).toString('hex'));

  function challenge({ flags }: NegotiateMessage, negotiate: Uint8Array): Turn {
    const unicode = hasFlag(flags, 'NEGOTIATE_UNICODE');
    if (!unicode && !(oemNames && hasFlag(flags, 'NEGOTIATE_OEM'))) {
      return { kind: 'reject', log: 'NTLM type 1 without Unicode, which is needed here' };
    }
    const serverChallenge = entropy(8);
    const bytes = encodeMessage({
      type: 2,
      flags: ((flags & GRANTED) | ALWAYS | flagsOf(unicode ? 'NEGOTIATE_UNICODE' : 'NEGOTIATE_OEM')) >>> 0,
      targetName: target.domain,
      serverChallenge,
      targetInfo: encodeAvPairs([...targetPairs(target), { id: AV_ID.Timestamp, value: fileTime(clock) }]),
    });
    return {
      kind: 'continue',
      challenge: withToken('ntlm', bytes.toString('base64')),
      state: { negotiate, challenge: bytes, serverChallenge },
    };
  }

  function authenticate(
    message: AuthenticateMessage,
    bytes: Uint8Array,
    state: NtlmVerifierState | undefined,
  ): MaybePromise<Turn> {
    if (state === undefined) return malformed('a type 3 before a type 1 on this connection');
    const { user, domain, flags } = message;
    const weak = whyTooWeak(message);
    if (weak !== undefined) return { kind: 'reject', user, log: weak, why: weak };
    if (!hasFlag(flags, 'NEGOTIATE_UNICODE') && !(oemNames && ASCII.test(user + domain))) {
      const why = 'names that are not in Unicode, and so of an unknown code page';
      return { kind: 'reject', user, log: why, why };
    }
    if (hasControls(user + domain)) return malformed('control characters in a name');
    const decoded = decodeNtlmv2Response(message.ntResponse);
    if (!decoded.ok) return malformed(decoded.why);
    const { response } = decoded;
    if (announcesMic(response.challenge.pairs) && message.mic === undefined) {
      return malformed('the MIC that the response announces is missing');
    }
    return whenSettled(findAccount(domain, user), (account): Turn => {
      const fault = check(account?.ntHash ?? decoy, message, bytes, response, state);
      if (account !== undefined && fault === undefined) return { kind: 'accept', principal: account.principal };
      return { kind: 'reject', user, log: `domain "${domain}": ${fault ?? UNKNOWN}` };
    });
  }

  return {
    name: 'ntlm',
    binding: 'connection',
    offer: () => [withParams('ntlm')],
    judge: ({ token68 }: Credentials, _request, state) => {
      if (token68 === undefined) return malformed('without a token');
      const decoded = decodeToken(token68);
      if (!decoded.ok) return malformed(decoded.why);
      const { message, bytes } = decoded;
      // A client may begin anew at any time: it gets another challenge, and the old one is void.
      if (message.type === 1) return challenge(message, bytes);
      if (message.type === 3) return authenticate(message, bytes, state);
      return malformed('a type 2, which is for the verifier to send');
    },
  };
}

const UNKNOWN = 'unknown user or wrong password';

function targetPairs({ domain, computer, dnsDomain, dnsComputer }: NtlmTarget): AvPair[] {
  return [
    avText(AV_ID.NbDomainName, domain),
    avText(AV_ID.NbComputerName, computer),
    ...(dnsDomain === undefined ? [] : [avText(AV_ID.DnsDomainName, dnsDomain)]),
    ...(dnsComputer === undefined ? [] : [avText(AV_ID.DnsComputerName, dnsComputer)]),
  ];
}

/** Why a response is of a kind that is never good enough. */
function whyTooWeak({ flags, user, ntResponse, lmResponse }: AuthenticateMessage): string | undefined {
  if (hasFlag(flags, 'ANONYMOUS') || (user === '' && ntResponse.length === 0)) return 'anonymous NTLM: not taken';
  if (ntResponse.length === NTLMV1_LENGTH) return 'NTLMv1 response: only NTLMv2 is taken';
  if (ntResponse.length > 0) return undefined;
  return lmResponse.length > 0 ? 'LM response: only NTLMv2 is taken' : 'no response at all: only NTLMv2 is taken';
}

/** What is wrong with a response, if anything. Takes the same time whatever that is. */
function check(
  hash: Secret,
  message: AuthenticateMessage,
  bytes: Uint8Array,
  { proof, temp, challenge }: Ntlmv2Response,
  state: NtlmVerifierState,
): string | undefined {
  const key = responseKey(hash, message.user, message.domain);
  const expected = ntProof(key, state.serverChallenge, temp);
  const unsigned = Buffer.from(bytes);
  unsigned.fill(0, MIC_AT, MIC_AT + MIC_LENGTH);
  const mic = messageIntegrityCode(sessionBaseKey(key, expected), state.negotiate, state.challenge, unsigned);
  const proved = timingSafeEqual(expected, proof);
  const whole = !announcesMic(challenge.pairs) || timingSafeEqual(mic, message.mic ?? Buffer.alloc(MIC_LENGTH));
  if (!proved) return UNKNOWN;
  return whole ? undefined : 'the MIC does not fit: a message was changed on its way';
}
