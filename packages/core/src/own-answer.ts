import type { ExchangeRecord } from './exchange-record.ts';
import type { Explanation } from './http/synthetic-response.ts';
import { explain } from './http/synthetic-response.ts';
import type { ClientExchange } from './listener/client-exchange.ts';

/** Who answers, and where. */
export interface Answerer {
  /** Names the tier in the page and in `Proxy-Status`. */
  readonly tier: string;
  readonly exchange: ClientExchange;
  readonly record: ExchangeRecord;
}

/** Answers with a page of the tier's own, and writes down that it did. `close`: the connection ends with that. */
export function answerOurselves(
  { tier, exchange, record }: Answerer,
  explanation: Explanation,
  close = false,
): undefined {
  const sent = explain(exchange.res, tier, explanation, { close });
  if (sent !== undefined) record.answered(sent);
}

/** The same for a request that is not taken: the log says why. */
export function refuse(answerer: Answerer, explanation: Explanation, close = false): undefined {
  answerer.record.note({ refused: explanation.details });
  answerOurselves(answerer, explanation, close);
}
