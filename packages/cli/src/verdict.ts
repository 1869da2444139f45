import { valuesOf } from '@chain407/core';
import type { OneShotOutcome, OneShotResponse } from '@chain407/downstream';
import { rescue } from '@chain407/downstream';

/** The end of a trace: what happened, why, and what can be done about it. */
export interface Verdict {
  readonly ok: boolean;
  /** What came in the end; `undefined` where nothing came. */
  readonly status?: number;
  /** The hop that made the answer, where it says so (RFC 9209), or the proxy that was asked. */
  readonly hop: string;
  readonly symptom: string;
  readonly cause: string;
  readonly remedy: string;
}

const NOTHING_TO_DO = 'Nothing.';

/** What can be done about credentials that were given with -u, or in the proxy's URL. */
const REMEDIES = {
  rejected: 'Correct the user name or the password. Trying again with the same ones may lock the account.',
  closed: 'Correct the user name or the password.',
  denied:
    'Use an account that is permitted, or ask whoever runs that proxy for permission. The password is not the problem.',
  unanswerable: 'Use a scheme that it offers, and that chain407 speaks.',
} as const;

/** `proxy` names the proxy that was asked. */
export function verdict(outcome: OneShotOutcome, proxy: string, credential: string | undefined): Verdict {
  switch (outcome.kind) {
    case 'failed': {
      const hop = outcome.insideTunnel ? 'the origin' : proxy;
      const { symptom, cause, remedy } = rescue(outcome.error, hop);
      return { ok: false, hop, symptom, cause, remedy };
    }
    case 'refused': {
      const { refusal, page } = outcome;
      const { hop, nextHop, why } = attribution(page, proxy);
      if (nextHop !== undefined) return behind(hop, nextHop, why);
      const cause = `It did not let the account "${credential}" pass: ${why ?? refusal.detail}.`;
      return {
        ok: false,
        status: 407,
        hop,
        symptom: `${hop} asks for credentials (407).`,
        cause,
        remedy: REMEDIES[refusal.reason],
      };
    }
    case 'response':
      return outcome.insideTunnel ? throughTunnel(outcome.response) : answered(outcome.response, proxy, credential);
    default:
      return outcome satisfies never;
  }
}

/** A tier that names its next hop tells of its own account there: the client's credentials would not be passed on. */
function behind(hop: string, nextHop: string, why: string | undefined): Verdict {
  return {
    ok: false,
    status: 407,
    hop: `${nextHop}, behind ${hop}`,
    symptom: `${nextHop}, the next hop of ${hop}, asks for credentials (407).`,
    cause: `The account that ${hop} has for it did not open the way: ${why ?? 'it does not say why'}.`,
    remedy: `Correct the account in the configuration of ${hop}. -u does not help: what the client sends is not passed on.`,
  };
}

function throughTunnel({ head: { status } }: OneShotResponse): Verdict {
  return {
    ok: status < 400,
    status,
    hop: 'the origin',
    symptom: `The tunnel stands, and the origin answered ${status} inside it.`,
    cause: 'Every proxy of the chain let the CONNECT pass.',
    remedy: status < 400 ? NOTHING_TO_DO : 'This is between you and the origin; no proxy can see it.',
  };
}

function answered(response: OneShotResponse, proxy: string, credential: string | undefined): Verdict {
  const { status } = response.head;
  const { hop, nextHop, why } = attribution(response, proxy);
  const said = why === undefined ? '' : ` It says: ${why}.`;
  if (status === 407 && nextHop !== undefined) return behind(hop, nextHop, why);
  if (status === 407) {
    return {
      ok: false,
      status,
      hop,
      symptom: `${hop} asks for credentials (407).`,
      cause: credential === undefined ? `The request had none.${said}` : `The credentials did not satisfy it.${said}`,
      remedy:
        'Give credentials with -u USER:PASS, use an account that is permitted, or have anonymous access allowed there.',
    };
  }
  if (why !== undefined) {
    return {
      ok: false,
      status,
      hop,
      symptom: `${hop} answered ${status} in place of the origin.`,
      cause: why,
      remedy: 'See the cause; the body of the answer says more.',
    };
  }
  return {
    ok: status < 400,
    status,
    hop: 'the origin',
    symptom: `The request got through the chain: ${status}.`,
    cause: credential === undefined ? 'No proxy asked for anything.' : 'Every proxy was satisfied.',
    remedy: status < 400 ? NOTHING_TO_DO : 'This is between you and the origin.',
  };
}

interface Attribution {
  readonly hop: string;
  /** Whom the hop tells of, where it is not itself. */
  readonly nextHop?: string;
  readonly why?: string;
}

/** Who made the answer and why, by the member of `Proxy-Status` that has an error (RFC 9209 §2). */
function attribution(response: OneShotResponse | undefined, proxy: string): Attribution {
  const member = valuesOf(response?.head.headers ?? [], 'proxy-status').find((value) => value.includes('error='));
  const text = (name: string): string | undefined =>
    new RegExp(`${name}="((?:[^"\\\\]|\\\\.)*)"`).exec(member ?? '')?.[1]?.replace(/\\(.)/g, '$1');
  const name = /^[A-Za-z0-9*!#$%&'+\-.^_`|~:/]+/.exec(member ?? '')?.[0];
  const [nextHop, why] = [text('next-hop'), text('details')];
  return {
    hop: name === undefined ? proxy : `${name} (${proxy})`,
    ...(nextHop === undefined ? {} : { nextHop }),
    ...(why === undefined ? {} : { why }),
  };
}
