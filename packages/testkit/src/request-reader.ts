import { MessageError, ResponseReader, valuesOf } from '@chain407/core';

export interface RequestHead {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  /** Name, value, name, value … */
  readonly rawHeaders: readonly string[];
}

export type RequestEvent =
  | { readonly kind: 'need-data' }
  | { readonly kind: 'head'; readonly head: RequestHead }
  | { readonly kind: 'data'; readonly data: Buffer }
  | { readonly kind: 'end' };

const REQUEST_LINE = /^([^ ]+) ([^ ]+) HTTP\/(1\.[01])$/;
const HEAD_END = '\r\n\r\n';
const MAX_HEAD = 1024 * 1024;

/**
 * Reads one HTTP/1 request, sans I/O; used as core's {@link ResponseReader}, and by its means: behind the request line a
 * request is framed as a response is, but that one without a length has no body (RFC 9112 §6.3, rule 7).
 */
export class RequestReader {
  #bytes: Buffer = Buffer.alloc(0);
  #framed: ResponseReader | undefined;

  push(bytes: Buffer): void {
    if (this.#framed === undefined) this.#bytes = Buffer.concat([this.#bytes, bytes]);
    else this.#framed.push(bytes);
  }

  /** What came after the request; meaningful after `end`, and after the head of a CONNECT or an Upgrade. */
  get rest(): Buffer {
    return this.#framed?.rest ?? this.#bytes;
  }

  /** Throws {@link MessageError} where the request cannot be read. */
  next(): RequestEvent {
    if (this.#framed === undefined) return this.#readHead();
    const event = this.#framed.next();
    if (event.kind === 'head' || event.kind === 'informational') return this.next();
    return event;
  }

  #readHead(): RequestEvent {
    const end = this.#bytes.indexOf(HEAD_END);
    if (end < 0) return { kind: 'need-data' };
    const [first = '', ...lines] = this.#bytes.toString('latin1', 0, end).split('\r\n');
    const match = REQUEST_LINE.exec(first);
    if (match === null) throw new MessageError('malformed-head', 'the request line is malformed');
    const [, method = '', target = '', version = ''] = match;
    const rawHeaders = lines.flatMap((line) => {
      const colon = line.indexOf(':');
      return colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1).trim()];
    });
    this.#framed = this.#body(method, rawHeaders);
    this.#framed.push(this.#bytes.subarray(end + HEAD_END.length));
    return { kind: 'head', head: { method, target, version, rawHeaders } };
  }

  #body(method: string, rawHeaders: readonly string[]): ResponseReader {
    const reader = new ResponseReader({ method: 'GET', upgrade: false }, MAX_HEAD);
    const [coding] = method === 'CONNECT' ? [] : valuesOf(rawHeaders, 'transfer-encoding');
    const [length = '0'] = method === 'CONNECT' ? [] : valuesOf(rawHeaders, 'content-length');
    const framing = coding === undefined ? `Content-Length: ${length}` : `Transfer-Encoding: ${coding}`;
    reader.push(Buffer.from(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n`, 'latin1'));
    return reader;
  }
}
