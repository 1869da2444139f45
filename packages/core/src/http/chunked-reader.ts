import { valuesOf } from './headers.ts';
import { MessageError } from './message-error.ts';
import { ReceiveBuffer } from './receive-buffer.ts';
import { parseFieldLines } from './response-head.ts';

export type ChunkedEvent =
  | { readonly kind: 'need-data' }
  | { readonly kind: 'data'; readonly data: Buffer }
  | { readonly kind: 'end'; readonly trailers: readonly string[] };

const NEED_DATA: ChunkedEvent = { kind: 'need-data' };
const FRAMING = ['content-length', 'transfer-encoding'];
const CRLF = '\r\n';
const LF = Buffer.from('\n');
/** A chunk-size line holds 16 digits at most; what is longer is extensions, which nobody uses at length. */
const MAX_SIZE_LINE = 4096;
// chunk-ext (RFC 9112 §7.1.1) without its BWS, which Node refuses as well; a bare LF or CR there is CVE-2025-55315's
// shape. 13 digits are as many as a number holds exactly.
const SIZE_LINE =
  /^([0-9A-Fa-f]{1,13})(?:;[!#$%&'*+\-.^_`|~\w]+(?:=(?:[!#$%&'*+\-.^_`|~\w]+|"(?:[\t !#-[\]-~\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"))?)*$/;

/**
 * Reads the chunked transfer coding (RFC 9112 §7.1), sans I/O: give bytes to {@link ChunkedReader.push}, then call
 * {@link ChunkedReader.next} until it says `need-data` or `end`.
 */
export class ChunkedReader {
  readonly #bytes = new ReceiveBuffer(LF);
  #part: 'size' | 'data' | 'data-end' | 'trailers' = 'size';
  #left = 0;
  #trailers = '';
  readonly #maxTrailers: number;

  constructor(maxTrailers: number) {
    this.#maxTrailers = maxTrailers;
  }

  push(bytes: Buffer): void {
    this.#bytes.push(bytes);
  }

  /** What came after the last chunk; meaningful after `end`. */
  get rest(): Buffer {
    return this.#bytes.peek();
  }

  next(): ChunkedEvent {
    for (;;) {
      switch (this.#part) {
        case 'size': {
          const line = this.#line(MAX_SIZE_LINE);
          if (line === undefined) return NEED_DATA;
          const match = SIZE_LINE.exec(line);
          if (match === null) throw new MessageError('malformed-chunk', 'a chunk size is malformed');
          this.#left = Number.parseInt(match[1] as string, 16);
          this.#part = this.#left === 0 ? 'trailers' : 'data';
          break;
        }
        case 'data': {
          if (this.#bytes.length === 0) return NEED_DATA;
          const data = this.#bytes.take(this.#left);
          this.#left -= data.length;
          if (this.#left === 0) this.#part = 'data-end';
          return { kind: 'data', data };
        }
        case 'data-end':
          if (this.#bytes.length < 2) return NEED_DATA;
          if (this.#bytes.take(2).toString('latin1') !== CRLF) {
            throw new MessageError('malformed-chunk', 'a chunk is longer than its size');
          }
          this.#part = 'size';
          break;
        case 'trailers': {
          const line = this.#line(this.#maxTrailers - this.#trailers.length);
          if (line === undefined) return NEED_DATA;
          if (line === '') return { kind: 'end', trailers: this.#endTrailers() };
          this.#trailers += `${line}\r\n`;
          break;
        }
      }
    }
  }

  #endTrailers(): string[] {
    if (this.#trailers === '') return [];
    const trailers = parseFieldLines(this.#trailers.slice(0, -2).split('\r\n'));
    // Who merges them into the head would frame the body anew (RFC 9110 §6.5.1).
    if (FRAMING.some((name) => valuesOf(trailers, name).length > 0)) {
      throw new MessageError('malformed-framing', 'a body length in the trailers');
    }
    return trailers;
  }

  /** Takes a line without its CRLF, or nothing where it has not come whole. */
  #line(max: number): string | undefined {
    const lf = this.#bytes.find();
    const length = lf < 0 ? this.#bytes.length : lf;
    if (length > max) throw new MessageError('malformed-chunk', 'a line of the chunked coding is too long');
    if (lf < 0) return undefined;
    const line = this.#bytes.take(lf + 1).toString('latin1');
    if (!line.endsWith(CRLF)) throw new MessageError('malformed-chunk', 'a bare LF in the chunked coding');
    if (line.indexOf('\r') < lf - 1) throw new MessageError('malformed-chunk', 'a bare CR in the chunked coding');
    return line.slice(0, -2);
  }
}
