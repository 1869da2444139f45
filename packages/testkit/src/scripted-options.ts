import type { HeaderPair } from './header-pairs.ts';

/** A request as it reached a scripted upstream; recorded as soon as its head is there. */
export interface ScriptedRequest {
  /** `s1`, `s2` …: one for each TCP connection that was accepted. */
  readonly connection: string;
  /** 1 for the first request on its connection. */
  readonly turn: number;
  readonly method: string;
  /** As it stood in the request line: absolute-form, or `host:port` for CONNECT. */
  readonly target: string;
  readonly version: string;
  readonly headers: readonly HeaderPair[];
  /** The value of the first `Proxy-Authorization`, as it came. */
  readonly credentials?: string;
  /** What of the body has been read so far, without framing. */
  readonly body: Buffer;
  /** The body was read to its end. */
  readonly complete: boolean;
}

/**
 * What becomes of a request. `reject` answers 407 with what is advertised, `challenges` 407 with those lines (the second
 * leg of NTLM, a stale nonce), `status` anything else (403: recognised, not permitted).
 */
export type Judgement =
  | 'accept'
  | 'reject'
  | { readonly challenges: readonly string[] }
  | { readonly status: number; readonly headers?: readonly HeaderPair[]; readonly body?: string };

/** A point in an exchange, named after what has just been done. */
export type ExchangePoint =
  /** The request's head was read; its body, if any, was not. */
  | 'request-head'
  /** The request was read whole; nothing was answered. */
  | 'request'
  /** Half of the response's head was sent. */
  | 'response-head'
  /** The head and half of the body were sent; the whole of a response without a body. */
  | 'response-body'
  /** The response was sent whole. */
  | 'response';

/** How the upstream misbehaves. All off by default: then it is a correct HTTP/1.1 proxy. */
export interface Faults {
  /**
   * The framing of a 407's body. `close`: no length, ended by closing. `endless`: chunked, goes on until the peer closes.
   * Default `length`.
   */
  readonly framing407?: 'length' | 'chunked' | 'close' | 'empty' | 'endless';
  /**
   * Closes the connection after a 407: saying so in `Connection`, in `Proxy-Connection` only, or not at all. Default:
   * stays open.
   */
  readonly closeAfter407?: 'announced' | 'proxy-connection' | 'unannounced';
  /** `1.0`: as ncat does, a 407 in HTTP/1.0 without `Connection: close`, and then closed. Default `1.1`. */
  readonly version407?: '1.0' | '1.1';
  /**
   * Answers before the body is read, by what the head says. `read-on`: then reads and drops the body; `close`: ends the
   * connection after the answer. Default: reads first.
   */
  readonly early407?: 'read-on' | 'close';
  /** How every response leaves: in one piece, head and body apart, or byte by byte, each on its own. Default `whole`. */
  readonly segments?: 'whole' | 'head-and-body' | 'bytes';
  /** Waits at a point until the promise that `until` makes there settles: slow without a clock. */
  readonly hold?: { readonly at: ExchangePoint; readonly until: () => Promise<unknown> };
  /**
   * Ends the connection at a point. `by` a reset (the default) or an ordinary close. A peer may take a reset right behind
   * data for a close: the system tells both at once.
   */
  readonly cut?: { readonly at: ExchangePoint; readonly by?: 'reset' | 'close' };
  /** Bytes of the tunnel's far end that leave in one piece with the 200 to CONNECT or the 101. Default none. */
  readonly greeting?: string;
}

export interface ScriptedUpstreamOptions {
  /**
   * The `Proxy-Authenticate` lines of a 407, as they go on the wire: one challenge or several on each. Empty: a 407
   * without a challenge. Default `Basic realm="scripted"`.
   */
  readonly advertise?: readonly string[];
  /** Decides on each request. Called once for each. Default: accepts what carries credentials, whatever they are. */
  readonly accept?: (credentials: string | undefined, request: ScriptedRequest) => Judgement | Promise<Judgement>;
  /** The same for every request, or by request: `({ turn }) => (turn === 2 ? { cut: { at: 'request' } } : {})`. */
  readonly faults?: Faults | ((request: ScriptedRequest) => Faults);
  /** The page in every 407. Default one line. */
  readonly page?: string;
  /** Where an accepted CONNECT leads: to an echo, or to its port on 127.0.0.1, whatever host it names. Default `echo`. */
  readonly tunnel?: 'echo' | 'target';
}

/** Options with their defaults. */
export type ScriptedManners = Required<ScriptedUpstreamOptions>;

export const DEFAULT_MANNERS: ScriptedManners = {
  advertise: ['Basic realm="scripted"'],
  accept: (credentials) => (credentials === undefined ? 'reject' : 'accept'),
  faults: {},
  page: 'The scripted upstream asks for credentials.\n',
  tunnel: 'echo',
};
