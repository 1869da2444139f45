import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { RawHeaders, RequestBody, RequestTarget } from '@chain407/core';
import { countForward, endToEnd, MAX_INFORMATIONAL, valuesOf, waitsForInvitation } from '@chain407/core';
import type { Destination } from './destination.ts';
import { lateConnection, ORIGIN_CODES, OriginError } from './origin-error.ts';

/** A request as it goes to an origin. */
export interface OriginRequest {
  readonly method: string;
  readonly target: Extract<RequestTarget, { form: 'absolute' }>;
  readonly body: RequestBody;
  /** All fields, in order; {@link originHeaders} makes them. */
  readonly headers: RawHeaders;
  readonly destination: Destination;
}

/** Times in milliseconds, sizes in bytes. */
export interface OriginLimits {
  readonly headerSize: number;
  readonly connectTimeout: number;
  /** Without a byte in either direction. */
  readonly responseTimeout: number;
}

/** The head of an origin's answer, or why there is none. */
export type OriginAnswer =
  | { readonly kind: 'response'; readonly response: IncomingMessage }
  | { readonly kind: 'switched'; readonly response: IncomingMessage; readonly socket: Socket; readonly head: Buffer }
  | { readonly kind: 'failed'; readonly error: Error }
  | { readonly kind: 'gone' };

// Made anew: Host and the framing from what the guard has read, so that the next hop cannot read them in another way.
const OWN: ReadonlySet<string> = new Set(['host', 'content-length']);
/** Clients of HTTP/1.0 expect nothing, whatever they say (RFC 9110 §10.1.1). */
const OWN_1_0: ReadonlySet<string> = new Set([...OWN, 'expect']);

/** The fields of the request to the origin; `via` is this tier's entry in `Via`. */
export function originHeaders(
  { method = '', httpVersion, rawHeaders }: IncomingMessage,
  { authority }: OriginRequest['target'],
  body: RequestBody,
  via: string,
): string[] {
  const headers = [
    'Host',
    authority,
    ...endToEnd(countForward(method, rawHeaders), httpVersion === '1.0' ? OWN_1_0 : OWN),
    'Via',
    via,
  ];
  if (body.kind === 'chunked') headers.push('Transfer-Encoding', 'chunked');
  else if (body.kind === 'length') headers.push('Content-Length', String(body.length));
  else if (valuesOf(rawHeaders, 'content-length').length > 0) headers.push('Content-Length', '0');
  return headers;
}

/**
 * Waits for the head of the answer; resolves once. The request is destroyed when the client (`res`) goes before that, and
 * when a limit is passed, also later.
 */
export function awaitAnswer(
  request: ClientRequest,
  req: IncomingMessage,
  res: ServerResponse,
  { connectTimeout, responseTimeout }: OriginLimits,
): Promise<OriginAnswer> {
  return new Promise((resolve) => {
    let connecting: NodeJS.Timeout | undefined;
    const settle = (answer: OriginAnswer): void => {
      clearTimeout(connecting);
      res.off('close', onGone);
      resolve(answer);
    };
    const onGone = (): void => {
      settle({ kind: 'gone' });
      request.destroy();
    };
    const onTimeout = (): void => {
      // The agent's own limit, for idle connections: while one is opened, connectTimeout counts.
      if (request.socket?.connecting === true) return;
      // A client that does not take its response is not the origin's fault; its own limits end it. Node's timer fires once.
      if (res.writableNeedDrain) {
        request.socket?.setTimeout(responseTimeout);
        return;
      }
      // Of what the origin does not take, or has not asked for, no more comes.
      const held = request.writableNeedDrain || waitsForInvitation(res);
      const error =
        req.complete || held
          ? new OriginError(ORIGIN_CODES.responseTimeout, `no byte in ${responseTimeout} ms`)
          : new OriginError(ORIGIN_CODES.requestTimeout, `no byte of the request in ${responseTimeout} ms`);
      request.destroy(error);
    };
    res.once('close', onGone);
    request.once('socket', (socket) => {
      // Node's own listener goes with the response: the rest of an upload, written to an origin that has answered and closed,
      // would fail unheard then, and an error that nobody hears ends the process.
      if (!request.reusedSocket) socket.on('error', () => undefined);
      if (!socket.connecting) return;
      const late = lateConnection(socket, request.host, connectTimeout);
      connecting = setTimeout(() => request.destroy(late()), connectTimeout);
      socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', () => clearTimeout(connecting));
    });
    request.setTimeout(responseTimeout).on('timeout', onTimeout);
    // Each one counts as a sign of life: without end of them, no time limit would end it.
    let informational = 0;
    request.on('information', () => {
      informational += 1;
      if (informational <= MAX_INFORMATIONAL) return;
      settle({ kind: 'failed', error: new OriginError(ORIGIN_CODES.malformed, 'too many 1xx responses') });
      request.destroy();
    });
    request.on('error', (error) => settle({ kind: 'failed', error }));
    request.once('response', (response) => settle({ kind: 'response', response }));
    request.once('upgrade', (response, socket, head) => {
      request.off('timeout', onTimeout);
      settle({ kind: 'switched', response, socket, head });
    });
  });
}
