import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExchangeRecord, RawHeaders } from '@chain407/core';
import { endToEnd, endToEndTrailers, LENGTH, listOf, pairsOf } from '@chain407/core';
import type { Outcome } from '../outcome.ts';
import { ORIGIN_CODES, OriginError } from './origin-error.ts';

/** The trailer fields that may go on. */
export const trailerPairs = (rawTrailers: RawHeaders): [string, string][] => pairsOf(endToEndTrailers(rawTrailers));

/** Why a response cannot be handed to the client, where it cannot. */
function unrelayable({ statusCode = 0, httpVersion, rawHeaders }: IncomingMessage): OriginError | undefined {
  // Only a proxy may ask so (RFC 9110 §15.5.8), and the client would send it the credentials that are for us.
  if (statusCode === 407) return new OriginError(ORIGIN_CODES.asked, 'the origin answered 407');
  if (statusCode < 200) return new OriginError(ORIGIN_CODES.malformed, `a final status ${statusCode}`);
  if (httpVersion !== '1.1' && httpVersion !== '1.0')
    return new OriginError(ORIGIN_CODES.malformed, `HTTP/${httpVersion} in a response of HTTP/1`);
  const codings = listOf(rawHeaders, 'transfer-encoding');
  // RFC 9112 §6.1: whoever speaks 1.0 does not know what it says there.
  if (httpVersion === '1.0' && codings.length > 0)
    return new OriginError(ORIGIN_CODES.malformed, 'a transfer coding in a response of HTTP/1.0');
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
  record.answered({ status, headers });
  response.once('end', () => res.addTrailers(trailerPairs(response.rawTrailers)));
  return pipeWhole(response, res);
}

/**
 * Streams a body, with back-pressure. As `stream.pipeline`, which costs a tenth of a small request: it makes an
 * AbortController, and an error to end it by.
 */
function pipeWhole(response: IncomingMessage, res: ServerResponse): Promise<Outcome> {
  return new Promise((resolve) => {
    // What came with the head goes out with it; but the head does not wait for it: an event stream may be silent for long.
    const flush = setImmediate(() => res.flushHeaders());
    const waitNoMore = (): void => clearImmediate(flush);
    const cut = (error: Error): void => {
      waitNoMore();
      response.destroy();
      // A response that stops half-way must not look whole: to cut the connection is the only way to say so.
      res.destroy();
      resolve({ kind: 'cut', error });
    };
    response.once('data', waitNoMore).once('end', waitNoMore).once('error', cut);
    response.once('close', () => {
      if (!response.readableEnded) cut(new OriginError(ORIGIN_CODES.cut, 'closed in the middle of the body'));
    });
    res.once('close', () => {
      if (res.writableFinished) resolve({ kind: 'answered' });
      else cut(new OriginError(ORIGIN_CODES.gone, 'the client has gone'));
    });
    response.pipe(res);
  });
}
