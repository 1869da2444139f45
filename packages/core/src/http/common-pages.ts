import type { Explanation } from './synthetic-response.ts';

/** The answer to a request that cannot be taken as it stands; the connection is closed after it. */
export function malformed(status: number, details: string): Explanation {
  return {
    status,
    error: 'http_request_error',
    details,
    symptom: 'The proxy refused the request before it looked at credentials.',
    cause: `The request cannot be forwarded as it stands: ${details}.`,
    remedy: 'This is a fault of the program that sent it, or of something between it and the proxy.',
  };
}

/** The client stopped in the middle of its body; the connection is closed after it (RFC 9110 §15.5.9). */
export function stalledRequest(): Explanation {
  return {
    status: 408,
    error: 'http_request_error',
    details: 'the request body did not come in time',
    symptom: 'The proxy gave the request up.',
    cause: 'The client stopped sending before the request was whole; the next hop is not at fault.',
    remedy: 'Send the request again; the program that sent it, or its connection, may be slow.',
  };
}

/** `Via` names this very instance (RFC 9110 §7.6.3). */
export function loop(): Explanation {
  return {
    status: 502,
    error: 'proxy_loop_detected',
    details: 'the request has passed this proxy before',
    symptom: 'The request went in a circle.',
    cause: 'It came back to this proxy: its next hop, or the name that it asks for, leads here.',
    remedy: 'Check what that name resolves to, and that no next hop of this proxy has this proxy as its own.',
  };
}

/** A bug, ours. */
export function internalError(): Explanation {
  return {
    status: 500,
    error: 'proxy_internal_error',
    details: 'internal error',
    symptom: 'The proxy failed on this request.',
    cause: 'A fault in Chain407 itself; its log has the details.',
    remedy: 'Please report it, with the lines of the log.',
  };
}
