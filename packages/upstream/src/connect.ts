import type { Socket } from 'node:net';
import { connect } from 'node:net';
import type { ExchangeRecord, RequestTarget, SocketExchange, TunnelEnd, TunnelOptions } from '@chain407/core';
import { preciseNow, splice } from '@chain407/core';
import type { Destination } from './destination.ts';
import { TIMEOUTS } from './rescue.ts';

export interface ConnectRequest {
  readonly exchange: SocketExchange;
  readonly target: Extract<RequestTarget, { form: 'authority' }>;
  readonly destination: Destination;
  readonly record: ExchangeRecord;
  readonly pseudonym: string;
  readonly connectTimeout: number;
  readonly tunnel: TunnelOptions;
}

/** CONNECT (RFC 9110 §9.3.6). Rejects with Node's error where the origin cannot be reached: the client's connection stays. */
export async function openConnect(request: ConnectRequest): Promise<TunnelEnd | undefined> {
  const { exchange, target, record, pseudonym, tunnel } = request;
  const at = preciseNow();
  const leg = {
    to: 'origin',
    connection: target.authority,
    at,
    method: 'TCP',
    target: target.authority,
    headers: () => [],
  };
  let far: Socket | undefined;
  try {
    far = await dial(request);
  } catch (error) {
    const { code = 'ERR_CONNECT' } = error as NodeJS.ErrnoException;
    record.sent({ ...leg, ms: preciseNow() - at, result: { code } });
    throw error;
  }
  if (far === undefined) return undefined;
  record.sent({ ...leg, ms: preciseNow() - at, result: { status: 200, headers: [] } });
  const near = exchange.takeSocket();
  const headers = ['Via', `1.1 ${pseudonym}`];
  near.socket.write(`HTTP/1.1 200 Connection Established\r\n${headers.join(': ')}\r\n\r\n`, 'latin1');
  record.answered({ status: 200, headers });
  return splice(near, { socket: far, head: Buffer.alloc(0) }, tunnel);
}

/** The connection to the origin, or nothing where the client has gone meanwhile. */
function dial({ exchange: { res }, destination, connectTimeout }: ConnectRequest): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const { host, port, lookup } = destination;
    const socket = connect({ host, port, lookup, autoSelectFamily: true, allowHalfOpen: true, noDelay: true });
    const late = Object.assign(new Error('timed out'), { code: TIMEOUTS.connect });
    const timer = setTimeout(() => socket.destroy(late), connectTimeout);
    const onGone = (): void => void socket.destroy();
    res.once('close', onGone);
    socket.once('connect', () => {
      clearTimeout(timer);
      res.off('close', onGone);
      resolve(socket);
    });
    // Stays for the socket's whole life.
    socket.on('error', reject);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve(undefined);
    });
  });
}
