import type { ServerResponse } from 'node:http';
import type { Answer, ClientExchange, ResponseHead, TunnelEnd, TunnelOptions } from '@chain407/core';
import { endToEnd, endToEndTrailers, LENGTH, linesOf, openTunnel, pairsOf, upgradeFields } from '@chain407/core';
import type { HopError } from './hop/hop-error.ts';
import type { HopResponse } from './hop/hop-response.ts';

/** What belongs to the negotiation between client and upstream, where the client's credentials are relayed. */
const NEGOTIATION: ReadonlySet<string> = new Set(['proxy-authenticate', 'proxy-authentication-info', 'proxy-support']);

export interface DeliveryOptions {
  /** Pass the upstream's challenges on, each a line of its own. */
  readonly relayNegotiation: boolean;
  readonly via: string;
  readonly tunnel: TunnelOptions;
  /** Called with what the client gets, when its head goes out. */
  readonly onAnswer: (answer: Answer) => void;
}

/** How a delivery ended: the response whole, a tunnel closed, the client gone, or the next hop broke off and so did we. */
export type Delivered =
  | { readonly kind: 'complete' }
  | { readonly kind: 'tunnel'; readonly end: TunnelEnd }
  | { readonly kind: 'gone' }
  | { readonly kind: 'broken'; readonly error: HopError };

const COMPLETE: Delivered = { kind: 'complete' };

/** The fields of a response as the client gets them; `length` of its body, where that is known better than they say. */
function responseHeaders(head: ResponseHead, { relayNegotiation, via }: DeliveryOptions, length?: number): string[] {
  const noBody = head.status < 200 || head.status === 204 || head.framing.kind === 'tunnel';
  const headers = endToEnd(head.headers, noBody || length !== undefined ? LENGTH : undefined);
  if (length !== undefined) headers.push('Content-Length', String(length));
  if (relayNegotiation) headers.push(...linesOf(head.headers, NEGOTIATION));
  headers.push('Via', via);
  return headers;
}

/** Hands a response of the next hop on to the client: streamed, with back-pressure, or as a tunnel. */
export function deliver(exchange: ClientExchange, response: HopResponse, options: DeliveryOptions): Promise<Delivered> {
  const { head, collected } = response;
  // What was collected may be less than was announced: it was too much to keep, or HEAD was asked in place of POST.
  const length = exchange.req.method === 'HEAD' ? undefined : collected?.length;
  const headers = responseHeaders(head, options, length);
  if (head.framing.kind === 'tunnel' && exchange.kind !== 'request') {
    const { status, reason } = head;
    const answer = { status, reason, headers: [...headers, ...(status === 101 ? upgradeFields(head.headers) : [])] };
    const { tunnel, onAnswer } = options;
    const opened = openTunnel(exchange, response.connection.detach(), answer, tunnel, onAnswer);
    return opened.then((end) => ({ kind: 'tunnel', end }));
  }
  const { res } = exchange;
  res.sendDate = false;
  res.writeHead(head.status, head.reason, headers);
  options.onAnswer({ status: head.status, headers });
  if (collected === undefined) return streamBody(response, res);
  res.end(collected);
  return response.finish().then(() => COMPLETE);
}

function streamBody(response: HopResponse, res: ServerResponse): Promise<Delivered> {
  return new Promise((resolve) => {
    // What came with the head waits for a moment: a body that ends there, too, goes out with it, in one piece.
    let together = true;
    let first: Buffer | undefined;
    let ended = false;
    res.on('drain', () => response.connection.resume());
    response.consume({
      data: (bytes) => {
        if (!together) return res.write(bytes);
        if (first !== undefined) res.write(first);
        first = bytes;
        return true;
      },
      end: (trailers) => {
        ended = true;
        if (trailers.length > 0) {
          if (first !== undefined) res.write(first);
          first = undefined;
          res.addTrailers(pairsOf(endToEndTrailers(trailers)));
        }
        res.end(together ? first : undefined);
        resolve(COMPLETE);
      },
      // A response that stops half-way must not look whole: cutting the connection is the only way to say so.
      fail: (error) => {
        ended = true;
        // Where the client goes first, it is the connection to the next hop that is destroyed.
        const gone = res.destroyed;
        res.destroy();
        resolve(gone ? { kind: 'gone' } : { kind: 'broken', error });
      },
    });
    together = false;
    if (ended) return;
    // Node keeps a head until the first byte of the body; an event stream may have none for minutes.
    if (first === undefined) res.flushHeaders();
    else res.write(first);
  });
}
