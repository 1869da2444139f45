import type { RawHeaders } from './headers.ts';
import { listOf, valuesOf } from './headers.ts';
import { MessageError } from './message-error.ts';

/**
 * How the end of a body is found (RFC 9112 §6.3). `tunnel`: there is no end; the connection now carries another
 * protocol (2xx to CONNECT, 101).
 */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'close' }
  | { readonly kind: 'tunnel' };

export interface ResponseHead {
  readonly version: '1.0' | '1.1';
  readonly status: number;
  readonly reason: string;
  readonly headers: RawHeaders;
  readonly framing: Framing;
  /** The peer keeps the connection open after this response (RFC 9112 §9.3). */
  readonly persistent: boolean;
}

/** What of the request decides how its response is read. */
export interface ResponseContext {
  readonly method: string;
  /** The request asked for a protocol change: 101 is legal. */
  readonly upgrade: boolean;
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9][0-9][0-9])(?: ([\t\x20-\x7e\x80-\xff]*))?$/;
const FIELD_LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*$/;
const NONE: Framing = { kind: 'none' };
const TUNNEL: Framing = { kind: 'tunnel' };

/** Reads field lines (RFC 9112 §5). No obs-fold, no space before the colon, no bare CR or LF. */
export function parseFieldLines(lines: readonly string[]): string[] {
  const headers: string[] = [];
  for (const line of lines) {
    if (!FIELD_LINE.test(line)) throw new MessageError('malformed-head', 'a header line is malformed');
    const colon = line.indexOf(':');
    headers.push(line.slice(0, colon), withoutOws(line, colon + 1));
  }
  return headers;
}

/** By hand: a pattern that is anchored at the end would try every space of a long value. */
function withoutOws(line: string, from: number): string {
  let start = from;
  let end = line.length;
  while (start < end && isOws(line, start)) start += 1;
  while (end > start && isOws(line, end - 1)) end -= 1;
  return line.slice(start, end);
}

function isOws(line: string, at: number): boolean {
  return line[at] === ' ' || line[at] === '\t';
}

/** Reads a head: everything before the empty line, as Latin-1 text. Throws {@link MessageError}. */
export function parseResponseHead(text: string, context: ResponseContext): ResponseHead {
  const [first = '', ...lines] = text.split('\r\n');
  const match = STATUS_LINE.exec(first);
  if (match === null) throw new MessageError('malformed-head', 'the status line is malformed');
  const version = match[1] === '1' ? '1.1' : '1.0';
  const status = Number(match[2]);
  const headers = parseFieldLines(lines);
  const framing = framingOf(version, status, headers, context);
  const persistent = framing.kind !== 'close' && staysOpen(version, headers);
  return { version, status, reason: match[3] ?? '', headers, framing, persistent };
}

function framingOf(version: '1.0' | '1.1', status: number, headers: RawHeaders, context: ResponseContext): Framing {
  const lengths = valuesOf(headers, 'content-length');
  const codings = valuesOf(headers, 'transfer-encoding');
  // Both, or one of them twice, is how smuggling starts (RFC 9112 §6.3, rule 3 and 5). Also where there is no body: who
  // sends that cannot be trusted with framing.
  if (lengths.length + codings.length > 1) throw new MessageError('malformed-framing', 'more than one body length');
  if (lengths[0] !== undefined && !/^[0-9]{1,15}$/.test(lengths[0])) {
    throw new MessageError('malformed-framing', 'Content-Length is no number');
  }
  // A recipient may take it for no coding at all, or for one that it does not know.
  if (codings[0] === '') throw new MessageError('malformed-framing', 'Transfer-Encoding without a coding');
  if (status === 101) {
    if (!context.upgrade) throw new MessageError('unexpected-upgrade', '101 to a request that asked for no upgrade');
    return TUNNEL;
  }
  if (context.method === 'CONNECT' && status >= 200 && status < 300) return TUNNEL;
  if (status < 200 || status === 204 || status === 304 || context.method === 'HEAD') return NONE;
  if (codings[0] !== undefined) {
    if (version === '1.0') throw new MessageError('malformed-framing', 'Transfer-Encoding in an HTTP/1.0 response');
    if (codings[0].toLowerCase() !== 'chunked') {
      throw new MessageError('malformed-framing', 'a transfer coding other than chunked');
    }
    return { kind: 'chunked' };
  }
  if (lengths[0] === undefined) return { kind: 'close' };
  const length = Number(lengths[0]);
  return length === 0 ? NONE : { kind: 'length', length };
}

function staysOpen(version: '1.0' | '1.1', headers: RawHeaders): boolean {
  const options = [...listOf(headers, 'connection'), ...listOf(headers, 'proxy-connection')];
  if (options.includes('close')) return false;
  return version === '1.1' || options.includes('keep-alive');
}
