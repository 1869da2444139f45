import { randomBytes } from 'node:crypto';
import type { RawHeaders } from './headers.ts';
import { listOf } from './headers.ts';

/**
 * The name under which one running instance stands in `Via` (RFC 9110 §7.6.3). A random part tells two instances with
 * the same configuration apart, so that a chain of them is not taken for a loop.
 */
export function viaPseudonym(tier: string): string {
  return `${tier}-${randomBytes(4).toString('hex')}`;
}

/** True where the request has already passed this instance. */
export function passedBefore(headers: RawHeaders, pseudonym: string): boolean {
  const name = pseudonym.toLowerCase();
  return listOf(headers, 'via').some((entry) => entry.split(/[ \t]+/)[1] === name);
}
