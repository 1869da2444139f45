import type { IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import type { ExchangeRecord, RequestTarget, SocketExchange, TunnelEnd, TunnelOptions } from '@chain407/core';
import { preciseNow, splice, valuesOf } from '@chain407/core';
import type { Destination } from './destination.ts';
import type { OriginLimits } from './origin-request.ts';
import { foldFields, limitTime, requestFields, responseFields } from './origin-request.ts';
import { relayResponse } from './relay-response.ts';

export interface UpgradeRequest {
  readonly exchange: SocketExchange;
  readonly target: Extract<RequestTarget, { form: 'absolute' }>;
  readonly destination: Destination;
  readonly record: ExchangeRecord;
  readonly pseudonym: string;
  readonly limits: OriginLimits;
  readonly tunnel: TunnelOptions;
}

/**
 * A request for another protocol (RFC 9110 §7.8): http-proxy writes what comes back without its framing, so this goes to
 * the origin by `node:http`. 101 opens a tunnel; any other answer is an ordinary response.
 */
export function openUpgrade(request: UpgradeRequest): Promise<TunnelEnd | undefined> {
  const { exchange, target, destination, record, pseudonym, limits, tunnel } = request;
  const { req, res } = exchange;
  const upgrade = valuesOf(req.rawHeaders, 'upgrade').join(', ');
  const fields = requestFields(req.rawHeaders, target.authority, `${req.httpVersion} ${pseudonym}`, [
    ...['Connection', 'Upgrade'],
    ...['Upgrade', upgrade],
  ]);
  const at = preciseNow();
  const { method = 'GET' } = req;
  const leg = { to: 'origin', connection: target.authority, at, method, target: target.path, headers: () => fields };
  return new Promise((resolve, reject) => {
    const { host, port, agents } = destination;
    const send = target.scheme === 'https' ? httpsRequest : httpRequest;
    const outgoing = send({
      host,
      port,
      method,
      path: target.path,
      headers: foldFields(fields),
      agent: agents[target.scheme],
    });
    const onGone = (): void => void outgoing.destroy();
    const came = (incoming: IncomingMessage): void => {
      res.off('close', onGone);
      record.sent({
        ...leg,
        ms: preciseNow() - at,
        result: { status: incoming.statusCode ?? 0, headers: incoming.rawHeaders },
      });
    };
    res.once('close', onGone);
    limitTime(outgoing, limits);
    outgoing.once('error', (error: NodeJS.ErrnoException) => {
      res.off('close', onGone);
      record.sent({ ...leg, ms: preciseNow() - at, result: { code: error.code ?? error.name } });
      reject(error);
    });
    outgoing.once('response', (incoming) => {
      came(incoming);
      relayResponse(incoming, res, target.authority, pseudonym, record).then(() => resolve(undefined), reject);
    });
    outgoing.once('upgrade', (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
      came(incoming);
      socket.on('error', () => socket.destroy());
      const accepted = valuesOf(incoming.rawHeaders, 'upgrade').join(', ');
      const headers = [...responseFields(incoming, pseudonym), 'Connection', 'Upgrade', 'Upgrade', accepted];
      const near = exchange.takeSocket();
      near.socket.write(switchingHead(incoming.statusMessage ?? '', headers), 'latin1');
      record.answered({ status: 101, headers });
      resolve(splice(near, { socket, head }, tunnel));
    });
    outgoing.end();
  });
}

function switchingHead(reason: string, headers: readonly string[]): string {
  let head = `HTTP/1.1 101 ${reason}\r\n`;
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${head}\r\n`;
}
