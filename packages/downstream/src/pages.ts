import { formatMessage, withParams } from '@chain407/auth';
import type { Explanation } from '@chain407/core';
import type { RejectedPolicy } from './identity.ts';
import type { Refusal } from './negotiation/negotiate.ts';

/** What a refusal is about: who refused whose credentials. */
export interface RefusalContext {
  readonly upstream: string;
  /** The name of our credentials; `undefined`: none were to be sent. */
  readonly credential: string | undefined;
  readonly policy: RejectedPolicy;
  /** The upstream's challenges, where the client's answer to them would be relayed. */
  readonly relayable: readonly string[];
}

type Text = Pick<Explanation, 'details' | 'cause' | 'remedy'>;

const minutes = (ms: number): string => (ms < 120_000 ? `${Math.ceil(ms / 1000)} s` : `${Math.ceil(ms / 60_000)} min`);

/** When the guard lets the account be tried again. */
const next = (retryAfter: number): string =>
  retryAfter > 0
    ? ` So that the account is not locked, it is not tried again before ${minutes(retryAfter)} have passed.`
    : '';

function textOf({ reason, detail, retryAfter = 0 }: Refusal, upstream: string, ours: string): Text {
  switch (reason) {
    case 'rejected':
      return {
        details: `credentials not recognised: ${upstream} refused ${ours}`,
        cause: `${upstream} did not accept ${ours}: ${detail}.`,
        remedy: `Correct the user name or the password in the configuration.${next(retryAfter)}`,
      };
    case 'closed':
      return {
        details: `credentials held back: ${upstream} refused ${ours} before`,
        cause: `${ours} are held back, so that the account is not locked: ${detail}.`,
        remedy: `Correct the user name or the password in the configuration.${next(retryAfter)}`,
      };
    case 'denied':
      return {
        details: `not permitted: ${upstream} knows ${ours}, but does not let the account do this`,
        cause: `${upstream} recognised ${ours}, but the account may not do this.`,
        remedy: `Use an account that is permitted, or ask whoever runs ${upstream} for permission. The password is not the problem.`,
      };
    case 'unanswerable':
      return {
        details: `credentials missing: ${upstream} asks for credentials, and none could be sent: ${detail}`,
        cause: `${upstream} asks for credentials, and none can be sent: ${detail}.`,
        remedy:
          'Give the upstream credentials in the configuration, of a scheme that it offers; or let the client send its own (identity: relay).',
      };
    default:
      return reason satisfies never;
  }
}

/**
 * The page for our own credentials having been refused. A 407 needs a challenge (RFC 9110 §15.5.8): the upstream's,
 * where the client's answer would be relayed to it; otherwise one whose realm says that no answer helps.
 */
export function refusalPage(
  refusal: Refusal,
  { upstream, credential, policy, relayable }: RefusalContext,
): Explanation {
  const ours = credential === undefined ? 'no credentials' : `the credentials "${credential}" of this proxy`;
  const status = policy === '502' ? 502 : 407;
  const realm = `Chain407 downstream: ${upstream} refused its credentials; the page says why`;
  const challenges = relayable.length > 0 ? relayable : [formatMessage(withParams('basic', [['realm', realm]]))];
  return {
    status,
    error: 'http_request_denied',
    nextHop: upstream,
    symptom: `${upstream}, the next proxy, asks for credentials (407) and did not let this request pass.`,
    ...textOf(refusal, upstream, ours),
    ...(status === 407 ? { challenges } : {}),
    ...(refusal.retryAfter === undefined ? {} : { retryAfter: Math.ceil(refusal.retryAfter / 1000) }),
  };
}

export function deniedByRoute(authority: string): Explanation {
  return {
    status: 403,
    error: 'http_request_denied',
    details: `not permitted: a route denies ${authority}`,
    symptom: `This proxy does not go to ${authority}.`,
    cause: 'A route of its configuration says "via: deny" for this destination.',
    remedy: 'Change the route, if you may.',
  };
}

export function deniedClient(address: string): Explanation {
  return {
    status: 403,
    error: 'http_request_denied',
    details: `not permitted: clients.allow does not name ${address}`,
    symptom: `This proxy does not serve ${address}.`,
    cause: 'It lends its credentials only to the addresses that clients.allow names.',
    remedy: 'Add the address to clients.allow, if that is what you want.',
  };
}

/** Whoever is not a proxy of the chain may not ask for proxy credentials. `authority` names the origin. */
export function originAsked(authority: string): Explanation {
  return {
    status: 502,
    error: 'http_protocol_error',
    details: `${authority} answered 407, which only a proxy may`,
    nextHop: authority,
    symptom: `${authority} asked for proxy credentials.`,
    cause: 'It is an origin, not a proxy of this chain: its challenge was not passed on, and nothing was sent to it.',
    remedy: 'If it is a proxy, configure it as one; if not, it is at fault.',
  };
}
