import type { ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import { drainRequest, dropRest, isTooMuchToDrain } from './drain-request.ts';
import { valuesOf } from './headers.ts';

/** The error types of RFC 9209 §2.3 that our tiers report. */
export type ProxyErrorType =
  | 'dns_timeout'
  | 'dns_error'
  | 'destination_unavailable'
  | 'destination_ip_prohibited'
  | 'connection_refused'
  | 'connection_terminated'
  | 'connection_timeout'
  | 'connection_read_timeout'
  | 'connection_limit_reached'
  | 'tls_protocol_error'
  | 'tls_certificate_error'
  | 'http_request_error'
  | 'http_request_denied'
  | 'http_response_incomplete'
  | 'http_response_header_section_size'
  | 'http_protocol_error'
  | 'http_response_timeout'
  | 'http_upgrade_failed'
  | 'proxy_internal_response'
  | 'proxy_internal_error'
  | 'proxy_loop_detected';

/**
 * A response that a tier makes itself, and why. Everything in it is for the peer: no secret, no internal detail.
 * `details` goes into `Proxy-Status` and is plain ASCII prose.
 */
export interface Explanation {
  readonly status: number;
  readonly error: ProxyErrorType;
  readonly details: string;
  /** The next hop that it is about (an upstream's name, an origin's authority), where there is one. */
  readonly nextHop?: string;
  /** What the user sees, why that is, and what can be done about it; a sentence or two each. */
  readonly symptom: string;
  readonly cause: string;
  readonly remedy: string;
  /** `Proxy-Authenticate` lines; a 407 has at least one. */
  readonly challenges?: readonly string[];
  /** Seconds for `Retry-After`. */
  readonly retryAfter?: number;
}

export interface SyntheticResponse {
  readonly status: number;
  readonly reason: string;
  /** Name, value, name, value … */
  readonly headers: string[];
  readonly body: string;
}

/** An sf-token (RFC 8941 §3.3.4). */
const SF_TOKEN = /^[A-Za-z*][!#$%&'*+\-.^_`|~\w:/]*$/;

/** An sf-string (RFC 8941 §3.3.3): printable ASCII. */
function sfString(text: string): string {
  return `"${text.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&')}"`;
}

/** The `Proxy-Status` member of a tier (RFC 9209 §2). */
export function proxyStatus(tier: string, explanation: Explanation): string {
  const nextHop = explanation.nextHop === undefined ? '' : `; next-hop=${sfString(explanation.nextHop)}`;
  const name = SF_TOKEN.test(tier) ? tier : sfString(tier);
  return `${name}; error=${explanation.error}${nextHop}; details=${sfString(explanation.details)}`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

function htmlPage(tier: string, title: string, { symptom, cause, remedy }: Explanation): string {
  const row = (name: string, text: string): string => `<dt>${name}</dt><dd>${escapeHtml(text)}</dd>`;
  return (
    `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title>` +
    '<style>body{font:16px/1.5 system-ui,sans-serif;max-width:42em;margin:3em auto;padding:0 1em}' +
    'dt{font-weight:bold;margin-top:1em}dd{margin:0}footer{margin-top:2em;color:#666;font-size:85%}</style></head>' +
    `<body><h1>${escapeHtml(title)}</h1><dl>${row('Symptom', symptom)}${row('Cause', cause)}${row('Remedy', remedy)}</dl>` +
    `<footer>This page was made by ${escapeHtml(tier)}.</footer></body></html>\n`
  );
}

function textPage(tier: string, title: string, { symptom, cause, remedy }: Explanation): string {
  return `${title}\n\nSymptom: ${symptom}\nCause:   ${cause}\nRemedy:  ${remedy}\n\nThis page was made by ${tier}.\n`;
}

/** Only who names `text/html` gets it: programs send a wildcard, and people read their output (RFC 9110 §12.5.1). */
function prefersHtml(accept: string): boolean {
  const quality = (type: string): number => {
    const range = accept
      .toLowerCase()
      .split(',')
      .map((member) => member.split(';').map((part) => part.trim()))
      .find(([name]) => name === type);
    const q = range?.find((part) => part.startsWith('q='));
    return range === undefined ? 0 : q === undefined ? 1 : Number(q.slice(2)) || 0;
  };
  const html = quality('text/html');
  return html > 0 && html >= quality('text/plain');
}

/** Builds the response; `accept` is the request's `Accept`, which decides between `text/html` and `text/plain`. */
export function synthesize(tier: string, explanation: Explanation, accept: string | undefined): SyntheticResponse {
  const { status, challenges = [], retryAfter } = explanation;
  const reason = STATUS_CODES[status] ?? 'Error';
  const html = prefersHtml(accept ?? '');
  const body = (html ? htmlPage : textPage)(tier, `${status} ${reason}`, explanation);
  const headers = [
    ...challenges.flatMap((challenge) => ['Proxy-Authenticate', challenge]),
    ...['Proxy-Status', proxyStatus(tier, explanation)],
    ...['Content-Type', `${html ? 'text/html' : 'text/plain'}; charset=utf-8`],
    ...['Content-Length', String(Buffer.byteLength(body))],
    ...['Cache-Control', 'no-store'],
    ...(retryAfter === undefined ? [] : ['Retry-After', String(retryAfter)]),
  ];
  return { status, reason, headers, body };
}

/** Sends an explanation as the response, and returns what was sent; cuts the connection where a response has begun. */
export function explain(
  res: ServerResponse,
  tier: string,
  explanation: Explanation,
  options: { readonly close?: boolean } = {},
): SyntheticResponse | undefined {
  if (res.headersSent) {
    res.destroy();
    return undefined;
  }
  const accept = valuesOf(res.req.rawHeaders, 'accept').join(',');
  const response = synthesize(tier, explanation, accept);
  const ends = options.close === true || (response.status !== 407 && isTooMuchToDrain(res.req));
  if (ends) res.shouldKeepAlive = false;
  res.writeHead(response.status, response.reason, response.headers);
  const body = res.req.method === 'HEAD' ? '' : response.body;
  if (res.shouldKeepAlive || res.req.complete) {
    res.end(body);
    // What was piped somewhere before is not read on by itself, and the next request is behind it.
    dropRest(res);
  } else {
    endAfterRequest(res, body);
  }
  return response;
}

/**
 * A socket that is closed while the client still sends is reset, and the reset can destroy the response unread
 * (RFC 9112 §9.6). So the response goes out whole, and the end waits for the client a little.
 */
function endAfterRequest(res: ServerResponse, body: string): void {
  // In one piece and at once: where the rest of the request is malformed, its connection is cut.
  res.cork();
  res.flushHeaders();
  if (body !== '') res.write(body);
  res.uncork();
  drainRequest(res.req).then(() => res.end());
}
