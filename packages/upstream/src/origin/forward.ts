import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ExchangeRecord, RawHeaders } from '@chain407/core';
import { dropRest, isIdempotent } from '@chain407/core';
import type { Outcome } from '../outcome.ts';
import type { Tier } from '../tier.ts';
import { createEngine, interceptingAgent } from './http-proxy-engine.ts';
import { ORIGIN_CODES, OriginError } from './origin-error.ts';
import { beginLeg } from './origin-leg.ts';
import type { OriginAnswer, OriginRequest } from './origin-request.ts';
import { awaitAnswer } from './origin-request.ts';
import { relayResponse, trailerPairs } from './relay-response.ts';

const engine = createEngine();

/** Sends a plain request to its origin and hands the response to the client. */
export async function forward(
  tier: Tier,
  req: IncomingMessage,
  res: ServerResponse,
  asked: OriginRequest,
  record: ExchangeRecord,
): Promise<Outcome> {
  let sent = await send(tier, req, res, asked, record, false);
  if (isStale(sent, asked)) sent = await send(tier, req, res, asked, record, true);
  const { answer, request } = sent;
  if (answer.kind === 'response') {
    const outcome = await relayResponse(answer.response, res, tier.pseudonym, record);
    if (!req.complete) goOn(req.socket, request);
    return outcome;
  }
  if (answer.kind !== 'switched') return answer;
  answer.socket.destroy();
  return { kind: 'failed', error: new OriginError(ORIGIN_CODES.malformed, 'a 101 that was not asked for') };
}

interface Sent {
  readonly answer: OriginAnswer;
  readonly request: ClientRequest;
  /** Not a byte of an answer has come. */
  readonly unanswered: boolean;
}

/** The origin closed an idle connection at the moment that we used it. */
function isStale({ answer, request, unanswered }: Sent, { method, body }: OriginRequest): boolean {
  if (answer.kind !== 'failed' || !request.reusedSocket || !unanswered) return false;
  const { code } = answer.error as NodeJS.ErrnoException;
  return (code === 'ECONNRESET' || code === 'EPIPE') && body.kind === 'none' && isIdempotent(method);
}

async function send(
  tier: Tier,
  req: IncomingMessage,
  res: ServerResponse,
  asked: OriginRequest,
  record: ExchangeRecord,
  fresh: boolean,
): Promise<Sent> {
  const endLeg = beginLeg(record, asked);
  const request = begin(tier, req, res, asked, fresh);
  // Before the listener by which http-proxy ends the request.
  req.prependOnceListener('end', () => request.addTrailers(trailerPairs(req.rawTrailers)));
  request.once('close', () => {
    // It has answered and gone before it took the whole body.
    if (!req.complete && res.headersSent) dropRest(res);
  });
  let before = 0;
  request.once('socket', ({ bytesRead }) => {
    before = bytesRead;
  });
  const answer = await awaitAnswer(request, req, res, tier);
  endLeg(answer, request);
  return { answer, request, unanswered: (request.socket?.bytesRead ?? 0) === before };
}

/** Has http-proxy make the request and pipe the body into it; everything else about it is ours. */
function begin(
  tier: Tier,
  req: IncomingMessage,
  res: ServerResponse,
  asked: OriginRequest,
  fresh: boolean,
): ClientRequest {
  const { target, destination } = asked;
  const { host, port, agents } = destination;
  let request: ClientRequest | undefined;
  const capture = (captured: ClientRequest): void => {
    request = captured;
    stamp(captured, asked, tier.limits.headerSize);
  };
  // Nothing of the client's head is http-proxy's to copy: it forwards hop-by-hop fields, merges repeats, dies of `Trailer`
  // and skips its own hook on `Expect`. `stamp` writes the head.
  req.headers = {};
  engine.web(
    req,
    res,
    {
      // A plain object: of a URL, http-proxy would put the path, or all of it, before ours.
      target: { protocol: `${target.scheme}:`, host, port },
      agent: interceptingAgent(agents[target.scheme], target.host, fresh, capture),
    },
    // Errors of the request and of the client come here; `awaitAnswer` sees both. Without it they would end the process.
    () => undefined,
  );
  if (request === undefined) throw new Error('http-proxy made no request');
  return request;
}

/** Writes the head: the path byte for byte, every field as often as the client sent it. */
function stamp(request: ClientRequest, { target, headers, body }: OriginRequest, maxHeaderSize: number): void {
  request.path = target.path;
  for (const [name, values] of grouped(headers).values()) request.setHeader(name, values);
  Object.assign(request, { maxHeaderSize, maxHeadersCount: 0 });
  // Otherwise the head would wait for the first byte of the body.
  if (body.kind !== 'none') request.flushHeaders();
}

/** The fields under their first spelling, repeats together. */
function grouped(headers: RawHeaders): Map<string, [name: string, values: string | string[]]> {
  const fields = new Map<string, [string, string | string[]]>();
  for (let i = 0; i < headers.length; i += 2) {
    const [name, value] = [headers[i] as string, headers[i + 1] as string];
    const known = fields.get(name.toLowerCase());
    if (known === undefined) fields.set(name.toLowerCase(), [name, value]);
    else known[1] = [known[1], value].flat();
  }
  return fields;
}

/**
 * An upload that goes on after its answer. Node does not tell of its end then, where that is the end of the client; nor when the
 * origin takes more of it.
 */
function goOn(client: Socket, request: ClientRequest): void {
  const { socket: origin } = request;
  const end = (): unknown => request.destroy();
  const more = (): unknown => request.emit('drain');
  if (client.destroyed) end();
  if (origin?.writableNeedDrain === false) more();
  client.once('close', end);
  origin?.on('drain', more);
  request.once('close', () => {
    client.off('close', end);
    origin?.off('drain', more);
  });
}
