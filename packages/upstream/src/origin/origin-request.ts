import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { RawHeaders, RequestBody, RequestTarget } from '@chain407/core';
import {
  countForward,
  endToEnd,
  MAX_INFORMATIONAL,
  relayInformational,
  valuesOf,
  waitsForInvitation,
} from '@chain407/core';
import type { Destination } from './destination.ts';
import type { OriginCode } from './origin-error.ts';
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
  /** Fields in a head. */
  readonly headerCount: number;
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

/** Who waits for an answer. */
interface Awaiting {
  /** In `Via`. */
  readonly pseudonym: string;
  readonly limits: OriginLimits;
}

/**
 * Waits for the head of the answer, and passes 1xx on; resolves once. The request is destroyed when the client (`res`) goes before that, and
 * when a limit is passed, also later.
 */
export function awaitAnswer(
  request: ClientRequest,
  req: IncomingMessage,
  res: ServerResponse,
  { pseudonym, limits: { headerCount, connectTimeout, responseTimeout } }: Awaiting,
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
    const refuse = (code: OriginCode, message: string): void => {
      settle({ kind: 'failed', error: new OriginError(code, message) });
      request.destroy();
    };
    const tooMany = ({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>): boolean => {
      if (rawHeaders.length <= 2 * headerCount) return false;
      refuse(ORIGIN_CODES.headTooLarge, `more than ${headerCount} header fields`);
      return true;
    };
    request.on('information', (head) => {
      informational += 1;
      if (informational > MAX_INFORMATIONAL) refuse(ORIGIN_CODES.malformed, 'too many 1xx responses');
      else if (!tooMany(head)) {
        const { statusCode: status, statusMessage: reason, rawHeaders: headers } = head;
        relayInformational(res, { status, reason, headers }, `1.1 ${pseudonym}`);
      }
    });
    request.on('error', (error) => settle({ kind: 'failed', error }));
    request.once('response', (response) => {
      if (!tooMany(response)) settle({ kind: 'response', response });
    });
    request.once('upgrade', (response, socket, head) => {
      request.off('timeout', onTimeout);
      if (tooMany(response)) socket.destroy();
      else settle({ kind: 'switched', response, socket, head });
    });
  });
}
