import type { Socket } from 'node:net';
import type { Informational, ResponseContext } from '@chain407/core';
import type { HopError } from './hop-error.ts';

/** A request as bytes: the head, and who sends the body after it. */
export interface OutboundRequest {
  readonly context: ResponseContext;
  /** Request line and fields with the empty line, as Latin-1 text. */
  readonly head: string;
  readonly body: OutboundBody | undefined;
  /** Hears each 1xx. */
  readonly onInformational?: (head: Informational) => void;
}

/** The body of a request, which goes on from where it comes as fast as it is taken. */
export interface OutboundBody {
  sendTo(socket: Socket): void;
  /** Takes the socket away again, whether all has been sent or not. */
  stop(): void;
  /** All has been sent to the socket of the last `sendTo`, and how many bytes that were, or are by now. */
  readonly sent: boolean;
  readonly bytes: number;
  /** There is more of it, this side takes it, and the client does not send it. */
  readonly awaited: boolean;
}

/** Who takes a response body. `data` returns false to be asked no more until `UpstreamConnection.resume`. */
export interface BodyConsumer {
  data(bytes: Buffer): boolean;
  end(trailers: readonly string[]): void;
  fail(error: HopError): void;
}
