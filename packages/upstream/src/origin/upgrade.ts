import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import type { Answer, ExchangeRecord, SocketExchange } from '@chain407/core';
import { endToEnd, LENGTH, openTunnel, upgradeFields } from '@chain407/core';
import type { Outcome } from '../outcome.ts';
import type { Tier } from '../tier.ts';
import { beginLeg } from './origin-leg.ts';
import type { OriginRequest } from './origin-request.ts';
import { awaitAnswer } from './origin-request.ts';
import { relayResponse } from './relay-response.ts';

/**
 * Upgrade (RFC 9110 §7.8): hop-by-hop, so the offer is made anew to the origin. A 101 makes a tunnel, every other response
 * is an ordinary one.
 */
export async function upgrade(
  tier: Tier,
  exchange: SocketExchange,
  asked: OriginRequest,
  record: ExchangeRecord,
): Promise<Outcome> {
  const { method, target, destination } = asked;
  const { host, port, agents } = destination;
  const { req, res } = exchange;
  const headers = [...asked.headers, ...upgradeFields(req.rawHeaders)];
  const endLeg = beginLeg(record, { ...asked, headers });
  const request = (target.scheme === 'https' ? httpsRequest : httpRequest)({
    agent: agents[target.scheme],
    ...{ host, port, method, path: target.path, headers },
    ...{ setHost: false, servername: isIP(target.host) > 0 ? '' : target.host },
    maxHeaderSize: tier.limits.headerSize,
  });
  request.maxHeadersCount = 0;
  request.end();
  const answer = await awaitAnswer(request, req, res, tier);
  endLeg(answer, request);
  if (answer.kind === 'response') return relayResponse(answer.response, res, tier.pseudonym, record);
  if (answer.kind !== 'switched') return answer;

  const { response, socket, head } = answer;
  const via = `${response.httpVersion} ${tier.pseudonym}`;
  const fields = [...endToEnd(response.rawHeaders, LENGTH), 'Via', via, ...upgradeFields(response.rawHeaders)];
  const start = { status: 101, reason: response.statusMessage || 'Switching Protocols', headers: fields };
  const told = (given: Answer): void => record.answered(given);
  return { kind: 'tunnel', end: await openTunnel(exchange, { socket, head }, start, tier.tunnel, told) };
}
