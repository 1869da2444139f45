import type { Socket } from 'node:net';
import { awaitsAddress } from '@chain407/core';

/** What goes wrong between this tier and an origin and is no error of Node's. */
export const ORIGIN_CODES = {
  dnsTimeout: 'ERR_ORIGIN_DNS_TIMEOUT',
  connectTimeout: 'ERR_ORIGIN_CONNECT_TIMEOUT',
  responseTimeout: 'ERR_ORIGIN_RESPONSE_TIMEOUT',
  /** The client stopped sending in the middle of a body. */
  requestTimeout: 'ERR_CLIENT_BODY_TIMEOUT',
  malformed: 'ERR_ORIGIN_MALFORMED',
  /** More fields than it may have; Node has a code of its own for too many bytes. */
  headTooLarge: 'ERR_ORIGIN_HEAD_TOO_LARGE',
  /** The origin answered 407, which only a proxy may. */
  asked: 'ERR_ORIGIN_ASKED',
  /** It stopped in the middle of its answer; the client left before that had an end. */
  cut: 'ERR_ORIGIN_CUT',
  gone: 'ERR_CLIENT_GONE',
} as const;

export type OriginCode = (typeof ORIGIN_CODES)[keyof typeof ORIGIN_CODES];

/** A failure on the way to an origin; `rescue` turns it, and Node's errors, into an answer. */
export class OriginError extends Error {
  override readonly name = 'OriginError';
  readonly code: OriginCode;

  constructor(code: OriginCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Makes the error of a socket that is not connected to `host` within so many milliseconds, when it is asked for. */
export function lateConnection(socket: Socket, host: string, limit: number): () => OriginError {
  const nameless = awaitsAddress(socket, host);
  return () =>
    nameless()
      ? new OriginError(ORIGIN_CODES.dnsTimeout, `no address in ${limit} ms`)
      : new OriginError(ORIGIN_CODES.connectTimeout, `no connection in ${limit} ms`);
}
