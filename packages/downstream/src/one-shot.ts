import type { Credentials } from '@chain407/auth';
import type { RawHeaders, RequestTarget, ResponseHead, TunnelSide } from '@chain407/core';
import { formatHead, preciseNow } from '@chain407/core';
import { Cancellation } from './hop/cancellation.ts';
import { HopTls } from './hop/dial.ts';
import { HOP_CODES, HopError } from './hop/hop-error.ts';
import { HopResponse } from './hop/hop-response.ts';
import { UpstreamConnection } from './hop/upstream-connection.ts';
import type { CarriedLeg } from './negotiation/carrier.ts';
import type { Negotiated } from './negotiation/negotiate.ts';
import { negotiate } from './negotiation/negotiate.ts';
import { publishCarried } from './negotiation/publish-carried.ts';
import { authorizationText } from './negotiation/request-head.ts';
import type { Upstream } from './upstream.ts';

/** A body is read up to this many bytes: enough for a page that explains. */
const MAX_BODY = 64 * 1024;

export interface OneShotRequest {
  readonly upstream: Upstream;
  readonly method: string;
  readonly target: Extract<RequestTarget, { form: 'absolute' }>;
  /** Ask for a tunnel first, and send the request inside. https always does. */
  readonly connect: boolean;
  readonly headers: RawHeaders;
}

export interface OneShotResponse {
  readonly head: ResponseHead;
  readonly body: Buffer;
}

export type OneShotOutcome =
  /** What the proxy, or inside a tunnel the origin, answered in the end. */
  | { readonly kind: 'response'; readonly response: OneShotResponse; readonly insideTunnel: boolean }
  | (Extract<Negotiated, { kind: 'refused' }> & { readonly page: OneShotResponse | undefined })
  | { readonly kind: 'failed'; readonly error: HopError; readonly insideTunnel: boolean };

const BY = 'trace';

/** One request through the negotiation loop, as a downstream with one client would send it. Legs are published. */
export async function oneShot(request: OneShotRequest): Promise<OneShotOutcome> {
  const { connect, target, method } = request;
  const tunnel = connect || target.scheme === 'https';
  const outcome = tunnel
    ? await ask(request, 'CONNECT', `${target.host.includes(':') ? `[${target.host}]` : target.host}:${target.port}`)
    : await ask(request, method, target.absolute);
  switch (outcome.kind) {
    case 'cancelled':
      throw new TypeError('nobody cancels a one-shot');
    case 'failed':
      return { ...outcome, insideTunnel: false };
    case 'refused':
      return { ...outcome, page: outcome.response === undefined ? undefined : await read(outcome.response) };
    case 'response':
      if (outcome.response.head.framing.kind === 'tunnel')
        return throughTunnel(request, outcome.response.connection.detach());
      return { kind: 'response', response: await read(outcome.response), insideTunnel: false };
    default:
      return outcome satisfies never;
  }
}

function ask(
  { upstream, headers, target: { authority } }: OneShotRequest,
  method: string,
  target: string,
): Promise<Negotiated> {
  const fields = (credentials: Credentials | undefined): string[] => [
    ...['Host', method === 'CONNECT' ? target : authority],
    ...headers,
    ...(credentials === undefined ? [] : ['Proxy-Authorization', authorizationText(credentials)]),
  ];
  return negotiate({
    upstream,
    credential: upstream.credential,
    answerable: false,
    method,
    target,
    upgrade: false,
    idempotent: true,
    body: undefined,
    head: (credentials) => formatHead(`${method} ${target} HTTP/1.1`, fields(credentials)),
    source: () => ({ take: () => undefined, put: (connection) => connection.destroy() }),
    cancellation: new Cancellation(),
    onInformational: () => undefined,
    onLeg: (leg) => publish(leg, upstream.name, method, target, fields(leg.credentials)),
  });
}

/** The request to the origin, over the tunnel; over TLS, with the origin's certificate verified, for https. */
async function throughTunnel(request: OneShotRequest, side: TunnelSide): Promise<OneShotOutcome> {
  const { method, target, headers, upstream } = request;
  try {
    const inner =
      target.scheme === 'https' ? await secured(side, target.host, upstream.connection.connectTimeout) : side;
    const connection = UpstreamConnection.over(inner, upstream.connection);
    const fields = ['Host', target.authority, ...headers, 'Connection', 'close'];
    const at = preciseNow();
    const head = await connection.send({
      context: { method, upgrade: false },
      head: formatHead(`${method} ${target.path} HTTP/1.1`, fields),
      body: undefined,
    });
    const ms = preciseNow() - at;
    publish(
      { connection: connection.id, credentials: undefined, at, ms, result: head },
      `${target.host} (in the tunnel)`,
      method,
      target.path,
      fields,
    );
    const response = await read(new HopResponse(head, connection, () => connection.destroy()));
    return { kind: 'response', response, insideTunnel: true };
  } catch (error) {
    if (error instanceof HopError) return { kind: 'failed', error, insideTunnel: true };
    throw error;
  } finally {
    side.socket.destroy();
  }
}

/** `timeout`: milliseconds that the handshake may take. */
function secured({ socket, head }: TunnelSide, host: string, timeout: number): Promise<TunnelSide> {
  if (head.length > 0) socket.unshift(head);
  return new Promise((resolve, reject) => {
    const secure = new HopTls(host, {}).connect({ socket, host });
    const fail = (code: string, message: string): void => reject(new HopError('exchange', code, message, true));
    const timer = setTimeout(() => {
      fail(HOP_CODES.connectTimeout, `no TLS connection in ${timeout} ms`);
      secure.destroy();
    }, timeout);
    secure.once('secureConnect', () => resolve({ socket: secure, head: Buffer.alloc(0) }));
    secure.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? HOP_CODES.closed, error.message));
    secure.once('close', () => fail(HOP_CODES.closed, 'the connection was closed'));
    for (const event of ['secureConnect', 'close']) secure.once(event, () => clearTimeout(timer));
  });
}

async function read(response: HopResponse): Promise<OneShotResponse> {
  if (response.collected === undefined) await response.collect(MAX_BODY);
  response.connection.destroy();
  return { head: response.head, body: response.collected ?? Buffer.alloc(0) };
}

const publish = (
  leg: Omit<CarriedLeg, 'standIn'>,
  to: string,
  method: string,
  target: string,
  fields: RawHeaders,
): void => publishCarried({ by: BY, from: 'client', to, exchange: BY, method, target, headers: () => fields }, leg);
