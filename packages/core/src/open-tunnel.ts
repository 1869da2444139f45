import type { Answer } from './exchange-record.ts';
import { formatHead } from './http/headers.ts';
import type { TunnelEnd, TunnelOptions, TunnelSide } from './http/tunnel.ts';
import { splice } from './http/tunnel.ts';
import type { SocketExchange } from './listener/client-exchange.ts';

/** The head that tells the client that its connection is a tunnel now. */
export interface TunnelHead extends Answer {
  readonly reason: string;
}

/** The head for a CONNECT that went through to where the tunnel ends; `pseudonym` stands in `Via`. */
export const established = (pseudonym: string): TunnelHead => ({
  status: 200,
  reason: 'Connection Established',
  headers: ['Via', `1.1 ${pseudonym}`],
});

/**
 * Takes the client's connection, says so, and joins it with the far side until both have ended. `onAnswer` gets what the
 * client was told.
 */
export function openTunnel(
  exchange: SocketExchange,
  far: TunnelSide,
  { status, reason, headers }: TunnelHead,
  options: TunnelOptions,
  onAnswer: (answer: Answer) => void,
): Promise<TunnelEnd> {
  const fields = [...headers, ...exchange.headersSet];
  const near = exchange.takeSocket();
  near.socket.write(formatHead(`HTTP/1.1 ${status} ${reason}`, fields), 'latin1');
  onAnswer({ status, headers: fields });
  return splice(near, far, options);
}
