import type { ResponseContext, ResponseHead } from '@chain407/core';
import { listOf, valuesOf } from '@chain407/core';
import { expect } from '@jest/globals';
import type { NodeResponse, NodeResponseReader } from './node-response.ts';
import type { ReadResponse } from './read-response.ts';
import { byteByByte, GET, readPieces } from './read-response.ts';

/** In which the same bytes are read in other ways. */
export const CONTEXTS: readonly ResponseContext[] = [
  GET,
  { method: 'HEAD', upgrade: false },
  { method: 'CONNECT', upgrade: false },
  { method: 'GET', upgrade: true },
];

function asNodeSays(read: Extract<ReadResponse, { ok: true }>): NodeResponse {
  const { head, informational, body, trailers } = read;
  const { version, status, reason, headers, framing } = head;
  const rest = framing.kind === 'tunnel' ? read.rest : '';
  return { version, status, reason, headers, informational, body, trailers, rest };
}

/** Node takes every answer to CONNECT for the end of HTTP: of a refusal it reads only the head, and 1xx for the answer. */
const headOnly = ({ body: _body, trailers: _trailers, rest: _rest, ...head }: NodeResponse): object => head;

/**
 * The one thing that we take in another way: 101 without `Upgrade` or without its connection option, which a server must
 * send (RFC 9110 §7.8). To us it ends HTTP, as the status says; Node goes on reading HTTP. The head that our client gets
 * has both fields.
 */
function isBareSwitch({ status, headers }: ResponseHead): boolean {
  return (
    status === 101 && !(valuesOf(headers, 'upgrade').length > 0 && listOf(headers, 'connection').includes('upgrade'))
  );
}

/** What became of a response that both were given. */
export type Compared = 'refused' | 'same' | 'bare switch';

/** Fails where our reader takes a response, and Node does not or takes it for another. */
export async function compare(node: NodeResponseReader, bytes: Buffer, context: ResponseContext): Promise<Compared> {
  const ours = readPieces([bytes], context);
  expect(readPieces(byteByByte(bytes), context)).toEqual(ours);
  if (ours.ok !== true) return 'refused';
  if (isBareSwitch(ours.head)) return 'bare switch';
  // What follows is another message; with a tunnel it is the tunnel's.
  const tunnel = ours.head.framing.kind === 'tunnel';
  const message = tunnel ? bytes : bytes.subarray(0, bytes.length - ours.rest.length);
  const wanted = asNodeSays(ours);
  const { length } = ours.informational;
  if (context.method !== 'CONNECT' && !saysCloseEarly(message, length)) {
    expect(await node.read(message, context)).toEqual(wanted);
    return 'same';
  }
  const theirs = await node.read(withoutHeads(message, length), context);
  const final = { ...wanted, informational: [] };
  if (tunnel || context.method !== 'CONNECT') expect(theirs).toEqual(final);
  else expect(theirs && headOnly(theirs)).toEqual(headOnly(final));
  return 'same';
}

/**
 * A 1xx with `close`, or of HTTP/1.0. Node takes nothing behind it; but a connection ends when the response is complete (RFC 9112
 * §9.6), and a 1xx does not complete it (RFC 9110 §15.2). What our client gets of a 1xx has no `Connection`, and is HTTP/1.1.
 */
function saysCloseEarly(message: Buffer, count: number): boolean {
  const heads = message.toString('latin1').split('\r\n\r\n').slice(0, count);
  return heads.some((head) => head.startsWith('HTTP/1.0') || /^connection:.*close/im.test(head));
}

function withoutHeads(message: Buffer, count: number): Buffer {
  if (count === 0) return message;
  return withoutHeads(message.subarray(message.indexOf('\r\n\r\n') + 4), count - 1);
}
