import { valuesOf } from '@chain407/core';
import type { OneShotOutcome, OneShotResponse } from '@chain407/downstream';
import { refusalPage, rescue } from '@chain407/downstream';

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

/** `proxy` names the proxy that was asked. */
export function verdict(outcome: OneShotOutcome, proxy: string, credential: string | undefined): Verdict {
  switch (outcome.kind) {
    case 'failed': {
      const hop = outcome.insideTunnel ? 'the origin' : proxy;
      const { symptom, cause, remedy } = rescue(outcome.error, hop);
      return { ok: false, hop, symptom, cause, remedy };
    }
    case 'refused': {
      const context = { upstream: proxy, credential, policy: '407', relayable: [] } as const;
      const { symptom, cause, remedy } = refusalPage(outcome.refusal, context);
      const { hop, why } = attribution(outcome.page, proxy);
      return {
        ok: false,
        status: 407,
        hop,
        symptom,
        cause: why === undefined ? cause : `${cause} It says: ${why}.`,
        remedy,
      };
    }
    case 'response':
      return outcome.insideTunnel ? throughTunnel(outcome.response) : answered(outcome.response, proxy, credential);
    default:
      return outcome satisfies never;
  }
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
  const { hop, why } = attribution(response, proxy);
  const said = why === undefined ? '' : ` It says: ${why}.`;
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

/** Who made the answer and why, by the last member of `Proxy-Status` that has an error: the hop nearest to us is last. */
function attribution(
  response: OneShotResponse | undefined,
  proxy: string,
): { readonly hop: string; readonly why?: string } {
  const member = valuesOf(response?.head.headers ?? [], 'proxy-status').find((value) => value.includes('error='));
  const name = /^[A-Za-z0-9*!#$%&'+\-.^_`|~:/]+/.exec(member ?? '')?.[0];
  const details = /details="((?:[^"\\]|\\.)*)"/.exec(member ?? '')?.[1]?.replace(/\\(.)/g, '$1');
  return { hop: name === undefined ? proxy : `${name} (${proxy})`, ...(details === undefined ? {} : { why: details }) };
}
