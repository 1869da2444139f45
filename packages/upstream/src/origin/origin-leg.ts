import type { ClientRequest } from 'node:http';
import type { ExchangeRecord } from '@chain407/core';
import { preciseNow } from '@chain407/core';
import { codeOf } from '../rescue.ts';
import type { OriginAnswer, OriginRequest } from './origin-request.ts';

/** Says what became of a request to an origin. */
export type EndLeg = (answer: OriginAnswer, request: ClientRequest) => void;

/** A leg to the origin begins now. */
export function beginLeg(record: ExchangeRecord, { method, target, headers }: OriginRequest): EndLeg {
  const at = preciseNow();
  return (answer, { socket }) => {
    if (answer.kind === 'gone') return;
    const result =
      answer.kind === 'failed'
        ? { code: codeOf(answer.error) }
        : { status: answer.response.statusCode ?? 0, headers: answer.response.rawHeaders };
    // Our end of it tells connections to the same origin apart.
    const connection = `${target.authority} from ${socket?.localPort ?? 'nowhere'}`;
    const ms = preciseNow() - at;
    record.sent({ to: 'origin', connection, at, ms, method, target: target.path, headers: () => headers, result });
  };
}
