import type { AuthInfo, ChainEvent, Challenge, SchemeName } from '@chain407/auth';
import { lacksScope, parseChallenges, parseParams } from '@chain407/auth';
import type { ResponseHead } from '@chain407/core';
import { REFUSALS, valuesOf } from '@chain407/core';

/** What the head of an answer says of the negotiation. `asked`: the method, and whether credentials went with it. */
export function heard(
  head: ResponseHead,
  asked: { readonly method: string; readonly credentials: boolean },
): Extract<ChainEvent, { kind: 'response' }> {
  const { persistent } = head;
  const status = asked.credentials && isProxys401(head, asked.method) ? 407 : head.status;
  if (status !== 407) return { kind: 'response', status, challenges: [], persistent, notPermitted: false };
  const { challenges, faults } = parseChallenges(valuesOf(head.headers, 'proxy-authenticate'));
  const [fault] = faults;
  return {
    kind: 'response',
    status,
    challenges,
    persistent,
    // RFC 6750 §3.1: a token that is good, but not for this.
    notPermitted: saysNotPermitted(head) || lacksScope(challenges),
    fault: fault && `Proxy-Authenticate: expected ${fault.expected} at character ${fault.at + 1}`,
  };
}

const NOTHING: AuthInfo = new Map();

/** What an answer to accepted credentials says to their scheme (RFC 9110 §11.7.3, RFC 4559 §5). */
export function epilogueOf(
  { headers }: ResponseHead,
  scheme: SchemeName,
): { readonly info: AuthInfo; readonly challenges: readonly Challenge[] } {
  const [line] = valuesOf(headers, 'proxy-authentication-info');
  const { challenges } = parseChallenges(valuesOf(headers, 'proxy-authenticate'));
  return {
    info: (line === undefined ? undefined : parseParams(line)) ?? NOTHING,
    challenges: challenges.filter((challenge) => challenge.scheme === scheme),
  };
}

/** RFC 7616 §3.3: the nonce was too old, user and password may well be right. */
export const saysStale = (challenges: readonly Challenge[]): boolean =>
  challenges.some(({ params }) => params.get('stale')?.toLowerCase() === 'true');

/** Some proxies (tinyproxy, for one) answer wrong credentials with 401, which is for origins: none has been asked yet on CONNECT. */
function isProxys401({ status, headers }: ResponseHead, method: string): boolean {
  return status === 401 && (method === 'CONNECT' || valuesOf(headers, 'proxy-authenticate').length > 0);
}

/** Our own upstream tier says so in `Proxy-Status`; then the 407 is a matter of permission, not of the password. */
function saysNotPermitted({ headers }: ResponseHead): boolean {
  return valuesOf(headers, 'proxy-status').some((value) => value.includes(`details="${REFUSALS.notPermitted}`));
}
