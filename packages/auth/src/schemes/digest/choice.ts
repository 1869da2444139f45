import type { Challenge } from '../../message.ts';
import { DIGEST_ALGORITHMS, hasSession } from './algorithm.ts';
import type { DigestChallenge } from './challenge.ts';
import { readChallenge } from './challenge.ts';
import type { Qop } from './response.ts';

/** The challenge that a client answers, and how. */
export interface Choice {
  readonly challenge: DigestChallenge;
  /** Absent: the proxy offers none, as in RFC 2069. */
  readonly qop?: Qop;
}

export type Chosen =
  | { readonly ok: true; readonly choice: Choice }
  | { readonly ok: false; readonly reason: 'unsupported' | 'unexpected-token'; readonly why: string };

/**
 * The strongest challenge that can be answered, the first of those that are as strong (RFC 7616 §3.7 leaves the order to
 * the proxy, which a man in the middle can change). `auth-int` only where there is nothing else, since it has to wait for
 * the whole content.
 */
export function choose(challenges: readonly Challenge[], rfc2069: boolean): Chosen {
  const usable: Choice[] = [];
  const obstacles = new Set<string>();
  let reason: 'unsupported' | 'unexpected-token' = 'unexpected-token';
  for (const challenge of challenges) {
    const read = readChallenge(challenge);
    const obstacle = read.ok ? obstacleTo(read.challenge, rfc2069) : read.why;
    if (read.ok && obstacle === undefined) usable.push(choiceOf(read.challenge));
    if (read.ok || read.reason === 'unsupported') reason = 'unsupported';
    if (obstacle !== undefined) obstacles.add(obstacle);
  }
  const [first, ...others] = usable;
  if (first === undefined) return { ok: false, reason, why: [...obstacles].slice(0, 3).join('; ') };
  return { ok: true, choice: others.reduce((best, other) => (rank(other) < rank(best) ? other : best), first) };
}

const rank = ({ challenge }: Choice): number => DIGEST_ALGORITHMS.indexOf(challenge.algorithm);

function obstacleTo({ qop, algorithm }: DigestChallenge, rfc2069: boolean): string | undefined {
  if (qop.length > 0) return undefined;
  if (hasSession(algorithm)) return `${algorithm} without qop, which it cannot do without`;
  return rfc2069 ? undefined : 'a challenge without qop, as RFC 2069 has it: that must be allowed to be answered';
}

function choiceOf(challenge: DigestChallenge): Choice {
  const [first] = challenge.qop;
  if (first === undefined) return { challenge };
  return { challenge, qop: challenge.qop.includes('auth') ? 'auth' : first };
}
