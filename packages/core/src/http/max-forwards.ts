import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RawHeaders } from './headers.ts';
import { valuesOf } from './headers.ts';
import type { RequestTarget } from './request-target.ts';

/** `Max-Forwards` counts for these two only (RFC 9110 §7.6.2). */
const COUNTED: ReadonlySet<string> = new Set(['TRACE', 'OPTIONS']);

/** What TRACE must not send back (RFC 9110 §9.3.8): a page's script could read it there. */
const PRIVATE: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization']);

function maxForwards(headers: RawHeaders): number | undefined {
  const [value] = valuesOf(headers, 'max-forwards');
  return value !== undefined && /^[0-9]{1,9}$/.test(value) ? Number(value) : undefined;
}

/** True where the request ends here although it came to a proxy: `OPTIONS *`, and TRACE or OPTIONS at 0. */
export function isFinalRecipient(method: string, target: RequestTarget, headers: RawHeaders): boolean {
  return target.form === 'asterisk' || (COUNTED.has(method) && maxForwards(headers) === 0);
}

/** The fields for the next hop, with `Max-Forwards` counted down. */
export function countForward(method: string, headers: RawHeaders): RawHeaders {
  const left = COUNTED.has(method) ? maxForwards(headers) : undefined;
  if (left === undefined) return headers;
  return headers.map((text, i) => {
    const name = i % 2 === 1 ? headers[i - 1] : undefined;
    return name?.toLowerCase() === 'max-forwards' ? String(left - 1) : text;
  });
}

/**
 * Answers TRACE with the request as it came, less its credentials, and OPTIONS with what a proxy allows; returns what was
 * sent.
 */
export function answerAsRecipient(req: IncomingMessage, res: ServerResponse): { status: number; headers: string[] } {
  const trace = req.method === 'TRACE';
  const body = trace ? echo(req) : '';
  const headers = trace
    ? ['Content-Type', 'message/http', 'Content-Length', String(Buffer.byteLength(body))]
    : ['Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE, CONNECT', 'Content-Length', '0'];
  res.writeHead(200, headers).end(body);
  return { status: 200, headers };
}

function echo(req: IncomingMessage): string {
  const lines = [`TRACE ${req.url} HTTP/${req.httpVersion}`];
  for (let i = 0; i < req.rawHeaders.length; i += 2) {
    const name = req.rawHeaders[i] as string;
    if (!PRIVATE.has(name.toLowerCase())) lines.push(`${name}: ${req.rawHeaders[i + 1]}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}
