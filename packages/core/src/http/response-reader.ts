import { ChunkedReader } from './chunked-reader.ts';
import { MessageError } from './message-error.ts';
import { ReceiveBuffer } from './receive-buffer.ts';
import type { ResponseContext, ResponseHead } from './response-head.ts';
import { parseResponseHead } from './response-head.ts';

export type ResponseEvent =
  | { readonly kind: 'need-data' }
  /** 1xx other than 101; the final response follows. */
  | { readonly kind: 'informational'; readonly head: ResponseHead }
  | { readonly kind: 'head'; readonly head: ResponseHead }
  | { readonly kind: 'data'; readonly data: Buffer }
  /** The response is complete. After a `tunnel` head it comes at once; the rest is {@link ResponseReader.rest}. */
  | { readonly kind: 'end'; readonly trailers: readonly string[] };

const NEED_DATA: ResponseEvent = { kind: 'need-data' };
const END: ResponseEvent = { kind: 'end', trailers: [] };
const HEAD_END = Buffer.from('\r\n\r\n');
const PROTOCOL = 'HTTP/1.';
const CR = 13;
const LF = 10;
/** The first line is looked at, while it comes, up to this many bytes. */
const MAX_WATCHED = 256;
/** A peer may send some of these before the final head; an endless stream of them is an attack. */
export const MAX_INFORMATIONAL = 32;

/**
 * Reads one HTTP/1 response, sans I/O: give bytes to {@link ResponseReader.push}, then call {@link ResponseReader.next}
 * until it says `need-data` or `end`. Accepts nothing that could be read in two ways: what is malformed throws
 * {@link MessageError}, after which the reader and the connection are of no more use.
 */
export class ResponseReader {
  readonly #bytes = new ReceiveBuffer(HEAD_END);
  #part: 'head' | 'none' | 'length' | 'chunked' | 'close' | 'tunnel' | 'ended' = 'head';
  #left = 0;
  #chunked: ChunkedReader | undefined;
  #informational = 0;
  /** The first line looks like a response's. */
  #begun = false;
  #closed = false;
  readonly #context: ResponseContext;
  readonly #maxHeadSize: number;
  readonly #maxFields: number;

  /** `maxHeadSize` in bytes, for the head and once more for trailers; `maxFields` of the head. */
  constructor(context: ResponseContext, maxHeadSize: number, maxFields = Number.POSITIVE_INFINITY) {
    this.#context = context;
    this.#maxHeadSize = maxHeadSize;
    this.#maxFields = maxFields;
  }

  push(bytes: Buffer): void {
    if (this.#chunked !== undefined) this.#chunked.push(bytes);
    else this.#bytes.push(bytes);
  }

  /** The peer has closed its side: ends a body that is framed by that, and is an error elsewhere. */
  close(): void {
    this.#closed = true;
  }

  /** Bytes that are not part of the response: a tunnel's first, or something that should not be there. */
  get rest(): Buffer {
    return this.#chunked?.rest ?? this.#bytes.peek();
  }

  next(): ResponseEvent {
    const event = this.#read();
    if (event.kind === 'need-data' && this.#closed) {
      throw new MessageError(
        'truncated',
        this.#part === 'head' ? 'closed before the head was complete' : 'closed in the middle of the body',
      );
    }
    return event;
  }

  #read(): ResponseEvent {
    switch (this.#part) {
      case 'head':
        return this.#readHead();
      case 'length':
        return this.#readLength();
      case 'chunked':
        return this.#readChunked();
      case 'close':
        if (this.#bytes.length > 0) return { kind: 'data', data: this.#bytes.take(this.#bytes.length) };
        return this.#closed ? this.#end() : NEED_DATA;
      case 'none':
      case 'tunnel':
        return this.#end();
      case 'ended':
        throw new TypeError('the response has ended');
      default:
        return this.#part satisfies never;
    }
  }

  #readHead(): ResponseEvent {
    const end = this.#bytes.find();
    // What may be the beginning of the end is no part of the head: the limit does not depend on how the bytes are cut.
    if ((end < 0 ? this.#bytes.length - HEAD_END.length + 1 : end) > this.#maxHeadSize) {
      throw new MessageError('head-too-large', `the response head is larger than ${this.#maxHeadSize} bytes`);
    }
    if (end < 0) {
      if (!this.#begun) this.#begin();
      return NEED_DATA;
    }
    const head = parseResponseHead(this.#bytes.take(end).toString('latin1'), this.#context);
    if (head.headers.length / 2 > this.#maxFields)
      throw new MessageError('head-too-large', `the response has more than ${this.#maxFields} header fields`);
    this.#bytes.take(HEAD_END.length);
    if (head.status < 200 && head.framing.kind === 'none') {
      this.#informational += 1;
      this.#begun = false;
      if (this.#informational > MAX_INFORMATIONAL) throw new MessageError('malformed-head', 'too many 1xx responses');
      return { kind: 'informational', head };
    }
    this.#part = head.framing.kind;
    if (head.framing.kind === 'length') this.#left = head.framing.length;
    if (head.framing.kind === 'chunked') {
      this.#chunked = new ChunkedReader(this.#maxHeadSize);
      this.#chunked.push(this.#bytes.take(this.#bytes.length));
    }
    return { kind: 'head', head };
  }

  /** What can never become a response is said at once: waiting for the rest would look like a slow peer. */
  #begin(): void {
    const bytes = this.#bytes.peek();
    const start = bytes.toString('latin1', 0, PROTOCOL.length);
    const lineEnd = bytes.indexOf(LF);
    if (!PROTOCOL.startsWith(start) || (lineEnd >= 0 && bytes[lineEnd - 1] !== CR)) {
      throw new MessageError('malformed-head', 'this is not HTTP/1');
    }
    this.#begun = lineEnd >= 0 || bytes.length > MAX_WATCHED;
  }

  #readLength(): ResponseEvent {
    if (this.#left === 0) return this.#end();
    if (this.#bytes.length === 0) return NEED_DATA;
    const data = this.#bytes.take(this.#left);
    this.#left -= data.length;
    return { kind: 'data', data };
  }

  #readChunked(): ResponseEvent {
    const event = (this.#chunked as ChunkedReader).next();
    if (event.kind === 'end') this.#part = 'ended';
    return event;
  }

  #end(): ResponseEvent {
    this.#part = 'ended';
    return END;
  }
}
