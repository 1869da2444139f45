import type { IncomingMessage } from 'node:http';
import type { RawHeaders } from './headers.ts';
import { valuesOf } from './headers.ts';

/** What belongs to the offer of another protocol (RFC 9110 §7.8; `HTTP2-Settings` is h2c's). */
const OFFER: ReadonlySet<string> = new Set(['upgrade', 'http2-settings']);

/** An Upgrade with a body: Java's client offers h2c on every request, POST too. */
export function offersInPassing(headers: RawHeaders): boolean {
  return (
    valuesOf(headers, 'content-length').some((length) => length !== '0') ||
    valuesOf(headers, 'transfer-encoding').length > 0
  );
}

/**
 * The head of a request without its offer, as bytes. A server may ignore an offer (RFC 9110 §7.8), but Node takes every
 * request that makes one for a switch, and reads no body: given this to read again, it sees an ordinary request.
 */
export function withoutOffer({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    const value = rawHeaders[i + 1] as string;
    if (OFFER.has(name.toLowerCase())) continue;
    lines.push(`${name}: ${name.toLowerCase() === 'connection' ? withoutMembers(value) : value}`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

function withoutMembers(list: string): string {
  return list
    .split(',')
    .filter((member) => !OFFER.has(member.trim().toLowerCase()))
    .join(',');
}
