/** Where in an exchange with the next hop something failed. */
export type HopPhase = 'connect' | 'exchange';

/** What this process lacks: another hop could not be dialled either. */
const OWN_LACK: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE']);

/**
 * The next hop could not be reached, or broke off. An expected outcome: it ends as a 502 or 504 that says which.
 * `code` is Node's (`ECONNREFUSED`), or one of ours below.
 */
export class HopError extends Error {
  override readonly name = 'HopError';
  readonly code: string;
  readonly phase: HopPhase;
  /** Nothing of a response had come: the request may be sent again where it is safe to do so. */
  readonly unanswered: boolean;

  constructor(phase: HopPhase, code: string, message: string, unanswered: boolean) {
    super(message);
    this.phase = phase;
    this.code = code;
    this.unanswered = unanswered;
  }

  /** The fault is the next hop's, or lies on the way to it: another one may do better. */
  get unreachable(): boolean {
    return this.phase === 'connect' && !OWN_LACK.has(this.code);
  }
}

/** No address, or not connected, in time; no response in time; no more of the request from the client in time; closed by the peer; bytes that make no sense; TLS where none was expected; too many of them; a body that is gone; no proof. */
export const HOP_CODES = {
  dnsTimeout: 'ERR_DNS_TIMEOUT',
  connectTimeout: 'ERR_CONNECT_TIMEOUT',
  responseTimeout: 'ERR_RESPONSE_TIMEOUT',
  requestTimeout: 'ERR_CLIENT_BODY_TIMEOUT',
  closed: 'ERR_CLOSED',
  malformed: 'ERR_MALFORMED_RESPONSE',
  tlsInstead: 'ERR_TLS_INSTEAD_OF_HTTP',
  headTooLarge: 'ERR_RESPONSE_HEAD_TOO_LARGE',
  notReplayable: 'ERR_BODY_NOT_REPLAYABLE',
  impostor: 'ERR_NO_MUTUAL_AUTHENTICATION',
} as const;
