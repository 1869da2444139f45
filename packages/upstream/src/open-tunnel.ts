import type { Answer, ExchangeRecord, SocketExchange, TunnelOptions, TunnelSide } from '@chain407/core';
import { splice } from '@chain407/core';
import type { Outcome } from './outcome.ts';

/** The head that tells the client that its connection is a tunnel now. */
export interface TunnelHead extends Answer {
  readonly reason: string;
}

/** Takes the client's connection, says so, and joins it with the origin's until both have ended. */
export async function openTunnel(
  exchange: SocketExchange,
  far: TunnelSide,
  { status, reason, headers }: TunnelHead,
  options: TunnelOptions,
  record: ExchangeRecord,
): Promise<Outcome> {
  const fields = [...headers, ...exchange.headersSet];
  let head = `HTTP/1.1 ${status} ${reason}\r\n`;
  for (let i = 0; i < fields.length; i += 2) head += `${fields[i]}: ${fields[i + 1]}\r\n`;
  const near = exchange.takeSocket();
  near.socket.write(`${head}\r\n`, 'latin1');
  record.answered({ status, headers: fields });
  return { kind: 'tunnel', end: await splice(near, far, options) };
}
