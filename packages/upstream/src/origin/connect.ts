import type { Socket } from 'node:net';
import type { ExchangeRecord, RequestTarget, SocketExchange } from '@chain407/core';
import { connectWithOwnBuffers, established, openTunnel, preciseNow } from '@chain407/core';
import type { Outcome } from '../outcome.ts';
import { codeOf } from '../rescue.ts';
import type { Tier } from '../tier.ts';
import type { Destination } from './destination.ts';
import { lateConnection } from './origin-error.ts';

type Dialled =
  | { readonly kind: 'connected'; readonly socket: Socket }
  | { readonly kind: 'failed'; readonly error: Error }
  | { readonly kind: 'gone' };

const NOTHING = Buffer.alloc(0);

/** CONNECT (RFC 9110 §9.3.6): a connection to the origin, and a tunnel through this tier to it. */
export async function tunnel(
  tier: Tier,
  exchange: SocketExchange,
  { authority }: Extract<RequestTarget, { form: 'authority' }>,
  destination: Destination,
  record: ExchangeRecord,
): Promise<Outcome> {
  const at = preciseNow();
  const dialled = await dial(tier, exchange, destination);
  if (dialled.kind === 'gone') return dialled;
  // Nothing is said to the origin; the leg tells that, and when, it was reached.
  const result = dialled.kind === 'failed' ? { code: codeOf(dialled.error) } : { status: 200, headers: [] };
  const place = { to: 'origin', connection: authority, method: 'TCP', target: authority, headers: () => [] };
  record.sent({ ...place, at, ms: preciseNow() - at, result });
  if (dialled.kind === 'failed') return dialled;
  const far = { socket: dialled.socket, head: NOTHING };
  const end = await openTunnel(exchange, far, established(tier.pseudonym), tier.tunnel, (answer) =>
    record.answered(answer),
  );
  return { kind: 'tunnel', end };
}

/** Connects, unless the client goes first. */
function dial({ limits }: Tier, exchange: SocketExchange, { host, port, lookup }: Destination): Promise<Dialled> {
  return new Promise((resolve) => {
    const socket = connectWithOwnBuffers({
      host,
      port,
      lookup,
      autoSelectFamily: true,
      allowHalfOpen: true,
      noDelay: true,
    });
    const settle = (dialled: Dialled): void => {
      clearTimeout(timer);
      resolve(dialled);
    };
    const late = lateConnection(socket, host, limits.connectTimeout);
    const timer = setTimeout(() => socket.destroy(late()), limits.connectTimeout);
    exchange.onGone(() => {
      settle({ kind: 'gone' });
      socket.destroy();
    });
    // Stays for the socket's whole life.
    socket.on('error', (error) => settle({ kind: 'failed', error }));
    socket.once('connect', () => settle({ kind: 'connected', socket }));
  });
}
