import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { ExchangeRecord, RequestBody, RequestTarget } from '@chain407/core';
import { countForward, preciseNow } from '@chain407/core';
import type HttpProxy from 'http-proxy';
import type { Destination } from './destination.ts';
import { createEngine, interceptingAgent } from './http-proxy-engine.ts';
import type { OriginLimits } from './origin-request.ts';
import { foldFields, limitTime, requestFields } from './origin-request.ts';
import { relayResponse } from './relay-response.ts';

export interface ForwardRequest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly target: Extract<RequestTarget, { form: 'absolute' }>;
  readonly body: RequestBody;
  readonly destination: Destination;
  readonly record: ExchangeRecord;
}

/** RFC 9110 §9.2.2: may be sent again where the kept connection was found dead. */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** Plain requests to the origin, by http-proxy. Rejects with Node's error where there is no response; `rescue` has the words. */
export class Forwarder {
  readonly #engine: HttpProxy = createEngine();
  readonly #pseudonym: string;
  readonly #limits: OriginLimits;

  constructor(pseudonym: string, limits: OriginLimits) {
    this.#pseudonym = pseudonym;
    this.#limits = limits;
  }

  async forward(request: ForwardRequest): Promise<void> {
    try {
      await this.#send(request);
    } catch (error) {
      if (!mayRepeat(error, request)) throw error;
      await this.#send(request);
    }
  }

  #send({ req, res, target, body, destination, record }: ForwardRequest): Promise<void> {
    return new Promise((resolve, reject) => {
      const { method = '' } = req;
      const framing = body.kind === 'chunked' ? ['Transfer-Encoding', 'chunked'] : [];
      const via = `${req.httpVersion} ${this.#pseudonym}`;
      const fields = requestFields(countForward(method, req.rawHeaders), target.authority, via, framing);
      // http-proxy copies req.headers: it gets ours in their place, with repeats, and without what is hop-by-hop.
      req.headers = foldFields(fields) as IncomingMessage['headers'];
      const at = preciseNow();
      const leg = {
        to: 'origin',
        connection: target.authority,
        at,
        method,
        target: target.path,
        headers: () => fields,
      };
      let sent: ClientRequest | undefined;

      const onGone = (): void => void sent?.destroy();
      const settle = (act: () => void): void => {
        res.off('close', onGone);
        act();
      };
      const onRequest = (request: ClientRequest): void => {
        sent = request;
        limitTime(request, this.#limits);
        request.once('response', (incoming: IncomingMessage) => {
          record.sent({
            ...leg,
            ms: preciseNow() - at,
            result: { status: incoming.statusCode ?? 0, headers: incoming.rawHeaders },
          });
          settle(() => relayResponse(incoming, res, target.authority, this.#pseudonym, record).then(resolve, reject));
        });
      };
      const onError = (error: NodeJS.ErrnoException): void => {
        if (res.headersSent) return;
        record.sent({ ...leg, ms: preciseNow() - at, result: { code: error.code ?? error.name } });
        settle(() => reject(Object.assign(error, { reused: sent?.reusedSocket === true })));
      };
      res.once('close', onGone);
      const agent = interceptingAgent(destination.agents[target.scheme], target.path, onRequest);
      const place = { protocol: `${target.scheme}:`, host: destination.host, port: destination.port };
      this.#engine.web(req, res, { target: place, agent }, onError);
    });
  }
}

function mayRepeat(error: unknown, { req, res, body }: ForwardRequest): boolean {
  const { code, reused } = error as { code?: string; reused?: boolean };
  const died = reused === true && (code === 'ECONNRESET' || code === 'EPIPE');
  return died && body.kind === 'none' && IDEMPOTENT.has(req.method ?? '') && !res.destroyed;
}
