import type { ResponseContext, ResponseHead } from '@chain407/core';
import { MessageError, ResponseReader } from '@chain407/core';

export const GET: ResponseContext = { method: 'GET', upgrade: false };

export type ReadResponse =
  | {
      readonly ok: true;
      readonly informational: readonly number[];
      readonly head: ResponseHead;
      readonly body: string;
      readonly trailers: readonly string[];
      readonly rest: string;
    }
  | { readonly ok: false; readonly code: MessageError['code'] }
  /** More was wanted, and the peer has not closed. */
  | { readonly ok: 'waiting' };

/** Feeds the pieces to a reader, and, with `close`, the peer's end; all text is Latin-1. */
export function readPieces(
  pieces: Iterable<Buffer>,
  context: ResponseContext,
  { close = true, maxHeadSize = 65_536 }: { readonly close?: boolean; readonly maxHeadSize?: number } = {},
): ReadResponse {
  const reader = new ResponseReader(context, maxHeadSize);
  const informational: number[] = [];
  const body: Buffer[] = [];
  let head: ResponseHead | undefined;
  let ended: readonly string[] | undefined;
  const after: Buffer[] = [];
  const pump = (): void => {
    while (ended === undefined) {
      const event = reader.next();
      if (event.kind === 'need-data') return;
      if (event.kind === 'informational') informational.push(event.head.status);
      else if (event.kind === 'head') head = event.head;
      else if (event.kind === 'data') body.push(event.data);
      else ended = event.trailers;
    }
  };
  try {
    for (const piece of pieces) {
      if (ended !== undefined) after.push(piece);
      else {
        reader.push(piece);
        pump();
      }
    }
    if (ended === undefined && close) {
      reader.close();
      pump();
    }
  } catch (error) {
    if (error instanceof MessageError) return { ok: false, code: error.code };
    throw error;
  }
  if (head === undefined || ended === undefined) return { ok: 'waiting' };
  const rest = Buffer.concat([reader.rest, ...after]).toString('latin1');
  return { ok: true, informational, head, body: Buffer.concat(body).toString('latin1'), trailers: ended, rest };
}

export function* byteByByte(bytes: Buffer): Generator<Buffer> {
  for (let i = 0; i < bytes.length; i += 1) yield bytes.subarray(i, i + 1);
}
