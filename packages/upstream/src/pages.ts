import type { Verdict } from '@chain407/auth';
import { challengeLines } from '@chain407/auth';
import type { Explanation } from '@chain407/core';
import { REFUSALS } from '@chain407/core';

type Asked = Extract<Verdict, { kind: 'ask' }>;

const REMEDIES =
  'Give correct credentials (a user name and a password that this proxy knows), use an account that is permitted, or have its operator allow anonymous access.';

/** The three ways to be asked, in words. `continue` is the middle of a handshake: nobody reads its page. */
const ASKED: { readonly [R in Asked['reason']]: Pick<Explanation, 'details' | 'cause' | 'remedy'> } = {
  missing: {
    details: REFUSALS.missing,
    cause: 'Credentials missing: this proxy has access control, and the request came without credentials.',
    remedy: REMEDIES,
  },
  unsupported: {
    details: REFUSALS.unsupported,
    cause: 'The credentials are of a scheme that this proxy does not offer.',
    remedy: 'Use one of the schemes in Proxy-Authenticate.',
  },
  rejected: {
    details: REFUSALS.unrecognised,
    cause: 'The credentials were not recognised: no such user, or not this password.',
    remedy: `${REMEDIES} Trying again with the same ones does not help, and may lock the account.`,
  },
  stale: {
    details: REFUSALS.stale,
    cause: 'The nonce of the credentials is too old, or was used before; user name and password may well be right.',
    remedy: 'Nothing: the client goes on by itself, with the new nonce.',
  },
  continue: {
    details: REFUSALS.underWay,
    cause: 'The negotiation has begun, and needs another leg on the same connection.',
    remedy: 'Nothing: the client goes on by itself.',
  },
};

/** The 407 page. */
export function askPage({ reason, why, challenges }: Asked): Explanation {
  const { details, cause, remedy } = ASKED[reason];
  return {
    status: 407,
    error: 'http_request_denied',
    symptom: 'This proxy did not let the request pass (407).',
    details: why === undefined ? details : `${details}: ${why}`,
    cause: why === undefined ? cause : `${cause} What is wrong with them: ${why}.`,
    remedy,
    challenges: challengeLines(challenges),
  };
}

/** Neither yes nor no: what knows the accounts cannot be asked. */
export function unavailablePage(): Explanation {
  return {
    status: 503,
    error: 'proxy_internal_error',
    details: REFUSALS.unavailable,
    symptom: 'This proxy could not find out whether the request may pass (503).',
    cause:
      'What knows the accounts (a directory, a helper program) does not answer. Nothing was said against the credentials.',
    remedy: 'Try again later, or tell the operator of this proxy: its log says what failed.',
  };
}

/** Digest with `auth-int` covers the content: it is held until the response has been verified. `most` in bytes. */
export function tooLargePage(most: number): Explanation {
  return {
    status: 413,
    error: 'http_request_error',
    details: 'content too large to be verified',
    symptom: 'This proxy did not take the request (413).',
    cause: `Its credentials cover the content (qop=auth-int), of which this proxy holds up to ${most} bytes until they are verified.`,
    remedy: 'Send less at a time, or use qop=auth where the proxy offers it.',
  };
}

/** Recognised, or nobody was asked, and the access rules say no. `challenges` for a rule that wants another account. */
export function deniedPage(
  status: 403 | 407,
  user: string | undefined,
  why: string,
  challenges: readonly string[],
): Explanation {
  return {
    status,
    error: 'http_request_denied',
    details: `${REFUSALS.notPermitted}: ${why}`,
    symptom: `This proxy did not let the request pass (${status}).`,
    cause:
      user === undefined
        ? `Not permitted: ${why}.`
        : `Not permitted: the account "${user}" was recognised, but ${why}. The password is not the problem.`,
    remedy: 'Use an account that is permitted, or ask the operator of this proxy for permission.',
    ...(status === 407 ? { challenges } : {}),
  };
}

export function portPage(port: number, kind: string): Explanation {
  return {
    status: 403,
    error: 'http_request_denied',
    details: `${REFUSALS.notPermitted}: port ${port} is not open for ${kind}`,
    symptom: 'This proxy did not let the request pass (403).',
    cause: `Not permitted: port ${port} is not among the ports that are open for ${kind}.`,
    remedy: 'Ask the operator of this proxy to open it (ports.connect, ports.any).',
  };
}
