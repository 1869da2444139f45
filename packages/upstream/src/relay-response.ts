import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { ExchangeRecord, RawHeaders } from '@chain407/core';
import { endToEnd, listOf } from '@chain407/core';
import { ORIGIN_CODES, OriginError } from './origin-error.ts';
import type { Outcome } from './outcome.ts';

/** RFC 9110 §8.6: not on a 204, though some origins send it. */
const LENGTH: ReadonlySet<string> = new Set(['content-length']);
/** What a trailer section must not say (RFC 9110 §6.5.1): it comes too late for framing and routing. */
const NOT_IN_TRAILERS: ReadonlySet<string> = new Set(['content-length', 'host', 'content-type', 'content-encoding']);

/** The trailer fields that may go on. */
export function trailerPairs(rawTrailers: RawHeaders): [string, string][] {
  const kept = endToEnd(rawTrailers, NOT_IN_TRAILERS);
  const pairs: [string, string][] = [];
  for (let i = 0; i < kept.length; i += 2) pairs.push([kept[i] as string, kept[i + 1] as string]);
  return pairs;
}

/** Why a response cannot be handed to the client, where it cannot. */
function unrelayable({ statusCode = 0, rawHeaders }: IncomingMessage): OriginError | undefined {
  // Only a proxy may ask so (RFC 9110 §15.5.8), and the client would send it the credentials that are for us.
  if (statusCode === 407) return new OriginError(ORIGIN_CODES.asked, 'the origin answered 407');
  if (statusCode < 200) return new OriginError(ORIGIN_CODES.malformed, `a final status ${statusCode}`);
  const codings = listOf(rawHeaders, 'transfer-encoding');
  return codings.length > 1 || (codings[0] ?? 'chunked') !== 'chunked'
    ? new OriginError(ORIGIN_CODES.malformed, 'a transfer coding that was not asked for')
    : undefined;
}

/** Hands an origin's response to the client: head, body with back-pressure, trailers. */
export async function relayResponse(
  response: IncomingMessage,
  res: ServerResponse,
  pseudonym: string,
  record: ExchangeRecord,
): Promise<Outcome> {
  const error = unrelayable(response);
  if (error !== undefined) {
    response.destroy();
    return { kind: 'failed', error };
  }
  const { statusCode: status = 0, statusMessage, rawHeaders, httpVersion } = response;
  const headers = [...endToEnd(rawHeaders, status === 204 ? LENGTH : undefined), 'Via', `${httpVersion} ${pseudonym}`];
  // Node adds Date where the origin sent none, as a recipient with a clock should (RFC 9110 §6.6.1).
  res.writeHead(status, statusMessage, headers);
  // The head does not wait for the first byte of the body: an event stream may be silent for long.
  res.flushHeaders();
  record.answered({ status, headers });
  response.once('end', () => res.addTrailers(trailerPairs(response.rawTrailers)));
  try {
    await pipeline(response, res);
    return { kind: 'answered' };
  } catch (failure) {
    // A response that stops half-way must not look whole: `pipeline` has cut the connection, the only way to say so.
    return { kind: 'cut', error: failure instanceof Error ? failure : new Error(String(failure)) };
  }
}
