import type { ChainEvent, ClientRequestFacts, ClientScheme, ClientTurn } from '@chain407/auth';
import { advance, clientChain, formatMessage, parseChallenges } from '@chain407/auth';
import { valuesOf } from '@chain407/core';
import type { RawResponse } from '../src/index.ts';

/** One leg: the value of `Proxy-Authorization`, and whether it may be the last. */
export type SendLeg = (credentials: string | undefined, complete: boolean) => Promise<RawResponse>;

export interface Negotiating {
  readonly scheme: ClientScheme;
  readonly facts: ClientRequestFacts;
  /** Begins with credentials, unasked. */
  readonly atOnce?: boolean;
}

/** Answers 407s as a browser or curl would, until there is nothing more to answer: the last response. */
export async function negotiateAsClient(
  { scheme, facts, atOnce = false }: Negotiating,
  send: SendLeg,
): Promise<RawResponse> {
  const start: ChainEvent = { kind: 'start', ...(atOnce ? { known: { scheme, state: undefined } } : {}) };
  let [state, action] = advance(clientChain([scheme]), start);
  let response: RawResponse | undefined;
  for (;;) {
    let event: ChainEvent;
    if (action.kind === 'send') {
      const { credentials, complete } = action;
      response = await send(credentials && formatMessage(credentials), complete && credentials !== undefined);
      event = eventOf(response);
    } else if (action.kind === 'ask') {
      event = { kind: 'turn', turn: await action.scheme.answer(action.challenges, facts, action.state) };
    } else if (action.kind === 'resume') {
      event = { kind: 'turn', turn: (await action.scheme.resume?.(facts, action.state)?.turn) as ClientTurn };
    } else if (response !== undefined) {
      return response;
    } else {
      throw new Error(`ended before anything was sent: ${action.kind}`);
    }
    [state, action] = advance(state, event);
  }
}

function eventOf({ status, headers, persistent }: RawResponse): ChainEvent {
  const { challenges } = parseChallenges(valuesOf(headers, 'proxy-authenticate'));
  return { kind: 'response', status, challenges, persistent, notPermitted: false };
}
