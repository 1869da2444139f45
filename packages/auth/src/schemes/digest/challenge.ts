import type { Challenge } from '../../message.ts';
import { withParams } from '../../message.ts';
import type { DigestAlgorithm } from './algorithm.ts';
import { findAlgorithm } from './algorithm.ts';
import type { Qop } from './response.ts';

/** A Digest challenge (RFC 7616 §3.3). Texts are as on the wire: one character a byte. */
export interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  readonly opaque?: string;
  readonly algorithm: DigestAlgorithm;
  /** As the proxy spelled it, which it gets back; absent: it named none, which means MD5. */
  readonly algorithmName?: string;
  /** Empty: the proxy speaks RFC 2069. */
  readonly qop: readonly Qop[];
  readonly stale: boolean;
  /** `charset=UTF-8`, the only value that there is. */
  readonly utf8: boolean;
  readonly userhash: boolean;
}

/** `unsupported`: well formed, but of an algorithm or `qop` that is not spoken here; it is passed over (§3.7). */
export type ReadChallenge =
  | { readonly ok: true; readonly challenge: DigestChallenge }
  | { readonly ok: false; readonly reason: 'malformed' | 'unsupported'; readonly why: string };

/** RFC 7616 §3.3 has these without quotes. */
const BARE: ReadonlySet<string> = new Set(['stale', 'algorithm', 'charset', 'userhash']);
const QOPS: ReadonlyMap<string, Qop> = new Map([
  ['auth', 'auth'],
  ['auth-int', 'auth-int'],
]);

/** Characters; nonces of known proxies have less than 100. */
const MAX_ECHOED = 4096;

const fault = (reason: 'malformed' | 'unsupported', why: string): ReadChallenge => ({ ok: false, reason, why });
const isTrue = (value: string | undefined): boolean => value?.toLowerCase() === 'true';

/** Reads a challenge; `domain` has no meaning in one of a proxy (RFC 7616 §3.3). Never throws. */
export function readChallenge({ params }: Challenge): ReadChallenge {
  const [realm, nonce, opaque] = ['realm', 'nonce', 'opaque'].map((name) => params.get(name));
  if (realm === undefined) return fault('malformed', 'a challenge without realm');
  if (nonce === undefined) return fault('malformed', 'a challenge without nonce');
  // They are sent back as they came, with every request.
  const [longest] = [nonce, opaque ?? '', realm].map((text) => text.length).sort((a, b) => b - a);
  if (longest !== undefined && longest > MAX_ECHOED)
    return fault('unsupported', `a nonce, opaque or realm of ${longest} characters, more than ${MAX_ECHOED}`);
  const algorithmName = params.get('algorithm');
  const algorithm = findAlgorithm(algorithmName ?? 'MD5');
  if (algorithm === undefined) return fault('unsupported', `unknown algorithm ${shown(algorithmName ?? '')}`);
  const offered = params.get('qop');
  const qop = offered === undefined ? [] : readQops(offered);
  if (offered !== undefined && qop.length === 0) return fault('unsupported', `unknown qop ${shown(offered)}`);
  return {
    ok: true,
    challenge: {
      realm,
      nonce,
      ...(opaque === undefined ? {} : { opaque }),
      algorithm,
      ...(algorithmName === undefined ? {} : { algorithmName }),
      qop,
      stale: isTrue(params.get('stale')),
      utf8: params.get('charset')?.toLowerCase() === 'utf-8',
      userhash: isTrue(params.get('userhash')),
    },
  };
}

/** Those that are known, in order; a list has commas, and some have spaces alone. */
function readQops(list: string): Qop[] {
  return list
    .toLowerCase()
    .split(/[ \t,]+/)
    .flatMap((name) => QOPS.get(name) ?? []);
}

/** One of the two, in any letter case. */
export function findQop(name: string): Qop | undefined {
  return QOPS.get(name.toLowerCase());
}

/** The challenge of a verifier; what is false or empty is left out. */
export function encodeChallenge(challenge: DigestChallenge): Challenge {
  const { realm, nonce, opaque, algorithm, algorithmName = algorithm, qop, stale, utf8, userhash } = challenge;
  const params: readonly (readonly [string, string])[] = [
    ['realm', realm],
    ...optional('qop', qop.length === 0 ? undefined : qop.join(', ')),
    ['algorithm', algorithmName],
    ['nonce', nonce],
    ...optional('opaque', opaque),
    ...optional('stale', stale ? 'true' : undefined),
    ...optional('charset', utf8 ? 'UTF-8' : undefined),
    ...optional('userhash', userhash ? 'true' : undefined),
  ];
  return withParams('digest', params, BARE);
}

/** A parameter, or none where it has no value. */
export function optional(name: string, value: string | undefined): (readonly [string, string])[] {
  return value === undefined ? [] : [[name, value]];
}

/** What a peer wrote, for people: short, in one line. */
export function shown(text: string): string {
  const short = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  return JSON.stringify(short.replace(/[^\x20-\x7e…]/g, '?'));
}
