import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { RawHeaders } from '@chain407/core';
import { endToEnd } from '@chain407/core';
import { TIMEOUTS } from './rescue.ts';

/** Milliseconds until there is a connection, and without a byte while a response is awaited. */
export interface OriginLimits {
  readonly connectTimeout: number;
  readonly responseTimeout: number;
}

const OWN: ReadonlySet<string> = new Set(['host', 'expect']);
const LENGTH: ReadonlySet<string> = new Set(['content-length']);

/** The fields for the origin: end-to-end ones as they came, `Host` from the target, `Via`, and what `extra` adds. */
export function requestFields(headers: RawHeaders, authority: string, via: string, extra: RawHeaders = []): string[] {
  return ['Host', authority, ...endToEnd(headers, OWN), 'Via', via, ...extra];
}

/** Name to value, or to all values of a repeated field, in the case and order of the first line of each. */
export function foldFields(fields: RawHeaders): Record<string, string | string[]> {
  const names = new Map<string, string>();
  const folded: Record<string, string | string[]> = Object.create(null);
  for (let i = 0; i < fields.length; i += 2) {
    const written = fields[i] as string;
    const value = fields[i + 1] as string;
    const name = names.get(written.toLowerCase()) ?? written;
    names.set(written.toLowerCase(), name);
    const before = folded[name];
    folded[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
  }
  return folded;
}

/** The fields of an origin's response as the client gets them; each repeat stays a line of its own. */
export function responseFields(incoming: IncomingMessage, pseudonym: string): string[] {
  const { statusCode = 0 } = incoming;
  const bodyless = statusCode < 200 || statusCode === 204;
  return [
    ...endToEnd(incoming.rawHeaders, bodyless ? LENGTH : undefined),
    'Via',
    `${incoming.httpVersion} ${pseudonym}`,
  ];
}

/** Ends a request whose connection, or whose response, does not come in time. */
export function limitTime(request: ClientRequest, { connectTimeout, responseTimeout }: OriginLimits): void {
  const fail = (code: string): void => void request.destroy(Object.assign(new Error('timed out'), { code }));
  request.once('socket', (socket: Socket) => {
    if (!socket.connecting) return;
    const timer = setTimeout(() => fail(TIMEOUTS.connect), connectTimeout);
    socket.once('connect', () => clearTimeout(timer));
    socket.once('close', () => clearTimeout(timer));
  });
  request.setTimeout(responseTimeout, () => fail(TIMEOUTS.response));
}
