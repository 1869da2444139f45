import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExchangeRecord } from '@chain407/core';
import { explain } from '@chain407/core';
import { responseFields } from './origin-request.ts';
import { originAskedPage } from './pages.ts';
import { TIER } from './tier.ts';

/**
 * Hands an origin's response on: fields from rawHeaders, the body with back-pressure, trailers. Resolves when the client
 * has it, or has gone; the origin's connection is free or closed then.
 */
export function relayResponse(
  incoming: IncomingMessage,
  res: ServerResponse,
  authority: string,
  pseudonym: string,
  record: ExchangeRecord,
): Promise<void> {
  // Only a proxy may ask for proxy credentials: whoever answered this would give them to a site.
  if (incoming.statusCode === 407) {
    incoming.resume();
    const sent = explain(res, TIER, originAskedPage(authority));
    if (sent !== undefined) record.answered(sent);
    return Promise.resolve();
  }
  const { statusCode = 502, statusMessage } = incoming;
  const headers = responseFields(incoming, pseudonym);
  res.sendDate = false;
  res.writeHead(statusCode, statusMessage, headers);
  record.answered({ status: statusCode, headers });
  return new Promise((resolve) => {
    incoming.pipe(res, { end: false });
    incoming.once('end', () => {
      const trailers = incoming.rawTrailers;
      for (let i = 0; i < trailers.length; i += 2)
        res.addTrailers([[trailers[i] as string, trailers[i + 1] as string]]);
      res.end();
    });
    // A response that stops half-way must not look whole.
    incoming.once('error', () => res.destroy());
    incoming.once('close', () => {
      if (!incoming.complete) res.destroy();
    });
    res.once('close', () => {
      if (!incoming.complete) incoming.destroy();
      resolve();
    });
  });
}
