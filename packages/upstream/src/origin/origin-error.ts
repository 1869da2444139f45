/** What goes wrong between this tier and an origin and is no error of Node's. */
export const ORIGIN_CODES = {
  connectTimeout: 'ERR_ORIGIN_CONNECT_TIMEOUT',
  responseTimeout: 'ERR_ORIGIN_RESPONSE_TIMEOUT',
  /** The client stopped sending in the middle of a body. */
  requestTimeout: 'ERR_CLIENT_BODY_TIMEOUT',
  malformed: 'ERR_ORIGIN_MALFORMED',
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
