import type { ServerResponse } from 'node:http';
import type { RawHeaders } from './headers.ts';
import { endToEnd, formatHead, LENGTH, listOf } from './headers.ts';

/** A 1xx of the next hop (RFC 9110 §15.2). */
export interface Informational {
  readonly status: number;
  readonly reason: string;
  readonly headers: RawHeaders;
}

/** Node keeps here whether 100 has gone out, and closes after a response that it had not. */
type Inside = ServerResponse & { readonly _sent100?: boolean };

/** The client waits with its body until it is told to send it, and has not been told. */
export const waitsForInvitation = (res: ServerResponse): boolean =>
  listOf(res.req.rawHeaders, 'expect').length > 0 && (res as Inside)._sent100 !== true;

/** Tells a client that waits with the body (`Expect: 100-continue`) to send it; once, and no other client (RFC 9110 §10.1.1). */
export function inviteBody(res: ServerResponse): void {
  if (waitsForInvitation(res) && takesInformational(res)) res.writeContinue();
}

/** Passes a 1xx on, before the final response; `via` is this hop's entry. Clients of HTTP/1.0 know none (RFC 9110 §15.2). */
export function relayInformational(res: ServerResponse, { status, reason, headers }: Informational, via: string): void {
  if (status === 100) inviteBody(res);
  else if (takesInformational(res)) {
    const fields = [...endToEnd(headers, LENGTH), 'Via', via];
    res.socket?.write(formatHead(`HTTP/1.1 ${status} ${reason}`, fields), 'latin1');
  }
}

const takesInformational = (res: ServerResponse): boolean =>
  res.req.httpVersion === '1.1' && !res.headersSent && res.socket?.writable === true;
