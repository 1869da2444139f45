import type { Clock, Entropy } from '../../entropy.ts';
import { AuthError } from '../../errors.ts';
import { quote } from '../../grammar.ts';
import type { Challenge } from '../../message.ts';
import type { AuthInfo, MaybePromise, Principal, RequestFacts, VerifierScheme, VerifierTurn } from '../../scheme.ts';
import { whenSettled } from '../../scheme.ts';
import type { Secret } from '../../secret.ts';
import type { DigestAlgorithm } from './algorithm.ts';
import { hasSession, hexLength, wireText } from './algorithm.ts';
import { encodeChallenge } from './challenge.ts';
import type { DigestCredentials } from './credentials.ts';
import { readCredentials } from './credentials.ts';
import type { DigestName } from './name.ts';
import { nonceMint } from './nonce.ts';
import type { Proof, Qop } from './response.ts';
import { isSame, keyOf, responseOf, rspauthOf } from './response.ts';

export interface DigestVerifierOptions {
  readonly realm: string;
  /** Offered in this order, preferred one first; at least one. */
  readonly algorithms: readonly DigestAlgorithm[];
  /** Empty only with `rfc2069`. */
  readonly qop: readonly Qop[];
  /** Take credentials without qop; with them a nonce is good, uncounted, until it ends. Default false. */
  readonly rfc2069?: boolean;
  /** Ask clients to hide the user name (RFC 7616 §3.4.4). Default false. */
  readonly userhash?: boolean;
  /** Milliseconds that a nonce is good for. Default 5 minutes. */
  readonly nonceLifetime?: number;
  /** At least 16 bytes; replicas that share it know the nonces of each other. */
  readonly key: Secret | Uint8Array;
}

export interface DigestUser {
  readonly principal: Principal;
  readonly ha1: Secret;
}

export interface DigestVerifierPorts {
  readonly entropy: Entropy;
  readonly clock: Clock;
  /**
   * `ha1`: `H(username ":" realm ":" password)` in lower-case hex, over NFC in UTF-8, by the hash of `algorithm`, without
   * what `-sess` adds. A name comes in NFC. `undefined`: nobody of that name, or none with such a hash. `unavailable`, and
   * why: it cannot be said now.
   */
  readonly findAccount: (
    name: DigestName,
    algorithm: DigestAlgorithm,
  ) => MaybePromise<DigestUser | { readonly unavailable: string } | undefined>;
  /**
   * True the first time that a count is used with a nonce. `expires`: milliseconds since 1970 from when it need not be
   * remembered. Asked for right responses only.
   */
  readonly useCount: (nonce: string, nc: number, expires: number) => MaybePromise<boolean>;
}

type Turn = VerifierTurn<never>;

const NONCE_LIFETIME = 5 * 60_000;
/** In the last part of its life a nonce is followed by the next one, so that a client at work never meets a stale one. */
const LAST_PART = 1 / 4;

/**
 * The verifier half of Digest (RFC 7616), without a table: nonces are recognised by their code, and only counts are
 * remembered, behind a port. A nonce begins the session of a `-sess` algorithm, with the cnonce that comes with it.
 *
 * | nonce   | response | count | turn                                                                  |
 * |---------|----------|-------|-----------------------------------------------------------------------|
 * | foreign | not read |       | reject: whether it is right would say nothing of when it was computed |
 * | ours    | wrong    |       | reject                                                                |
 * | expired | right    |       | stale                                                                 |
 * | fresh   | right    | used  | stale: it was overheard, or a client began again                      |
 * | fresh   | right    | new   | accept                                                                |
 *
 * Throws {@link AuthError} for options that no challenge can be made of.
 */
export function digestVerifier(options: DigestVerifierOptions, ports: DigestVerifierPorts): VerifierScheme<never> {
  const { algorithms, qop, rfc2069 = false, userhash = false, nonceLifetime = NONCE_LIFETIME, key } = options;
  checkOptions(options);
  const realm = wireText(options.realm);
  const nonces = nonceMint(key, options.realm, ports.entropy);
  // Nobody has it: what an unknown user's response is compared with, at the same cost.
  const nobody = Buffer.from(ports.entropy(32)).toString('hex');

  const challenges = (stale: boolean): Challenge[] => {
    const nonce = nonces.mint(ports.clock());
    return algorithms.map((algorithm) =>
      encodeChallenge({ realm, nonce, algorithm, qop, stale, utf8: true, userhash }),
    );
  };
  const stale = (log: string): Turn => ({ kind: 'stale', log, challenges: challenges(true) });

  /** Why these are credentials that nobody asked for; what is wrong with them does not depend on any secret. */
  function misfit({ algorithm, protection, name, realm: given, uri }: DigestCredentials, target: string) {
    if (given !== realm) return 'the realm is not that of the challenge';
    if (!algorithms.includes(algorithm)) return `${algorithm} was not offered`;
    if (protection === undefined && !rfc2069) return 'no qop, though it was offered';
    if (protection !== undefined && !qop.includes(protection.qop)) return `qop=${protection.qop} was not offered`;
    if ('userhash' in name && !userhash) return 'a hashed user name was not asked for';
    return isUriOf(target, uri) ? undefined : 'the uri is not the request-target';
  }

  function afterCount(proof: Proof, principal: Principal, isFirst: boolean, ends: number): Turn {
    if (!isFirst) return stale(`${principal.name}: the count ${proof.protection?.nc} has been used with this nonce`);
    const isLate = ends - ports.clock() < nonceLifetime * LAST_PART;
    const info = infoOf(proof, isLate ? nonces.mint(ports.clock()) : undefined);
    return info.size === 0
      ? { kind: 'accept', principal }
      : { kind: 'accept', principal, epilogue: { info, bare: INFO_TOKENS, challenges: [] } };
  }

  function count(proof: Proof, principal: Principal, ends: number): MaybePromise<Turn> {
    if (ends <= ports.clock()) return stale(`${principal.name}: the nonce has expired`);
    const { nonce, protection } = proof;
    if (protection === undefined) return afterCount(proof, principal, true, ends);
    const counted = ports.useCount(nonce, Number.parseInt(protection.nc, 16), ends);
    return whenSettled(counted, (isFirst) => afterCount(proof, principal, isFirst, ends));
  }

  function verify(given: DigestCredentials, method: string, ends: number, content?: Uint8Array): MaybePromise<Turn> {
    const { algorithm, nonce, uri, name, protection } = given;
    return whenSettled(ports.findAccount(name, algorithm), (account) => {
      if (account !== undefined && 'unavailable' in account) return { kind: 'unavailable', log: account.unavailable };
      const ha1 = account?.ha1.reveal() ?? nobody.slice(0, hexLength(algorithm));
      const proof: Proof = {
        algorithm,
        key: keyOf(algorithm, ha1, nonce, protection?.cnonce ?? ''),
        nonce,
        uri,
        ...(protection === undefined ? {} : { protection }),
      };
      const isRight = isSame(responseOf(proof, method, content), given.response);
      if (account !== undefined && isRight) return count(proof, account.principal, ends);
      const user = account?.principal.name ?? ('username' in name ? name.username : undefined);
      return { kind: 'reject', ...(user === undefined ? {} : { user }), log: 'unknown user or wrong password' };
    });
  }

  function judge(given: DigestCredentials, request: RequestFacts): MaybePromise<Turn> {
    const complaint = misfit(given, request.target);
    if (complaint !== undefined) return { kind: 'malformed', log: `Digest credentials: ${complaint}` };
    const mintedAt = nonces.mintedAt(given.nonce);
    // Without `user`: the password has not been looked at.
    if (mintedAt === undefined) return { kind: 'reject', log: 'a nonce that was not made here, or by another key' };
    const ends = mintedAt + nonceLifetime;
    if (given.protection?.qop !== 'auth-int' || request.content === undefined) {
      return verify(given, request.method, ends);
    }
    return request
      .content()
      .then((content) =>
        content === undefined
          ? { kind: 'too-large', log: 'the content is too large to be held until qop=auth-int is verified' }
          : verify(given, request.method, ends, content),
      );
  }

  return {
    name: 'digest',
    binding: 'message',
    offer: () => challenges(false),
    judge: (credentials, request) => {
      const read = readCredentials(credentials);
      return read.ok ? judge(read.credentials, request) : { kind: 'malformed', log: `Digest credentials: ${read.why}` };
    },
  };
}

function checkOptions({ realm, algorithms, qop, rfc2069, nonceLifetime }: DigestVerifierOptions): void {
  const refuse = (problem: string): never => {
    throw new AuthError('ERR_AUTH_INVALID_VALUE', `Digest: ${problem}`);
  };
  quote(wireText(realm));
  if (algorithms.length === 0) refuse('no algorithm: name at least one');
  if (qop.length === 0 && rfc2069 !== true) refuse('no qop: name auth or auth-int, or allow RFC 2069');
  if (qop.length === 0 && algorithms.some(hasSession)) refuse('a -sess algorithm without qop: name auth or auth-int');
  if (nonceLifetime !== undefined && !(nonceLifetime > 0)) refuse('a nonce must live for more than 0 ms');
}

const ABSOLUTE_FORM = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*(.*)$/i;

/** Byte for byte (RFC 7616 §3.4.6); of an absolute-form also what an origin would be asked for: curl, git, Chromium. */
function isUriOf(target: string, uri: string): boolean {
  if (uri === target) return true;
  const path = ABSOLUTE_FORM.exec(target)?.[1];
  return path !== undefined && uri === (path.startsWith('/') ? path : `/${path}`);
}

/** RFC 7616 §3.5 has these without quotes. */
const INFO_TOKENS: ReadonlySet<string> = new Set(['qop', 'nc']);

/**
 * `Proxy-Authentication-Info` (RFC 7616 §3.5). `rspauth` of `auth-int` covers the content of the answer, which is yet to
 * come: it is left out.
 */
function infoOf(proof: Proof, nextnonce: string | undefined): AuthInfo {
  const info = new Map<string, string>();
  if (proof.protection !== undefined) {
    const { qop, nc, cnonce } = proof.protection;
    if (qop === 'auth') info.set('rspauth', rspauthOf(proof));
    info.set('qop', qop).set('nc', nc).set('cnonce', cnonce);
  }
  if (nextnonce !== undefined) info.set('nextnonce', nextnonce);
  return info;
}
