import type { RequestName } from './exchanges.ts';
import { BODY } from './exchanges.ts';
import type { Fault } from './faulty-hop.ts';

/**
 * What a client got. `whole`: the answer of the next hop; `cut`: a part of it, and then a connection that closed, so that it
 * cannot be taken for whole; `nothing`: it closed before. Otherwise an error, as `502 connection_terminated`, or the
 * answer itself, which nobody expects.
 */
export type Outcome = string;

const LAST_CHUNK = '0\r\n\r\n';

/** What has come of a body in chunks (RFC 9112 §7.1): their data, and the last chunk; what is no chunk, as it is. */
function unchunked(body: string): string {
  if (body === LAST_CHUNK) return body;
  const [line, size = ''] = /^([0-9a-f]+)\r\n/.exec(body) ?? [];
  if (line === undefined) return /^[0-9a-f]*\r?$/.test(body) ? '' : body;
  const end = line.length + Number.parseInt(size, 16);
  if (!'\r\n'.startsWith(body.slice(end, end + 2))) return body;
  return body.slice(line.length, end) + unchunked(body.slice(end + 2));
}

const isChunked = (head: string): boolean => /^transfer-encoding:/im.test(head);

/** The head of a message and what has come of its body, however that was cut into chunks; `''`: the head is not whole. */
export function unframed(message: string): { readonly head: string; readonly body: string } {
  const [head = '', body] = message.split(/\r\n\r\n(.*)/s);
  if (body === undefined) return { head: '', body: '' };
  return { head, body: isChunked(head) ? unchunked(body) : body };
}

export function outcomeOf(answer: string): Outcome {
  if (answer === '') return 'nothing';
  const { head, body } = unframed(answer);
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1];
  const error = /^Proxy-Status: chain407-[a-z]+; error=(\w+)/m.exec(head);
  if (error !== null) return `${status} ${error[1]}`;
  if (status !== '200') return answer;
  if (body === (isChunked(head) ? BODY + LAST_CHUNK : BODY)) return 'whole';
  return BODY.startsWith(body) ? 'cut' : answer;
}

/** The legs of an exchange in which nothing failed, as the hop answered them. */
export interface Rehearsal {
  readonly request: RequestName;
  readonly legs: readonly string[];
  /** The first leg went over a connection that had served before. */
  readonly reused: boolean;
}

const failure = ({ by }: Fault): Outcome =>
  by === 'stall' ? '504 http_response_timeout' : '502 connection_terminated';

/** The middle of a handshake, which one connection carries from its beginning to its end. */
const isMidway = (leg: string): boolean => leg.includes(' TlRMTVNTUAAC');

const headLength = (leg: string): number => leg.indexOf('\r\n\r\n') + 4;

/** What the client gets when the hop fails so; several where it depends on what the tier sees first. */
export function expectedOf(fault: Fault, { request, legs, reused }: Rehearsal): readonly Outcome[] {
  let before = 0;
  for (const [i, leg] of legs.entries()) {
    const at = fault.at - before;
    const [first, last] = [i === 0, i === legs.length - 1];
    if (!leg.startsWith('HTTP/')) return inTunnel(fault);
    if (fault.asked === true ? at === 0 : at <= leg.length) {
      if (first && at === 0) return atFirst(fault, isRepeatable(request, legs), reused);
      if (at < headLength(leg)) return [failure(fault)];
      if (last) return [at < leg.length ? 'cut' : 'whole'];
      if (isMidway(leg)) return [failure(fault)];
      // The way is open, and the body, which is sent once, may go where nobody is any more.
      const opened = leg.startsWith('HTTP/1.1 200 ');
      return opened && at === leg.length ? ['whole', failure(fault)] : ['whole'];
    }
    before += leg.length;
  }
  throw new Error(`${fault.at} is beyond the exchange`);
}

/** A HEAD goes before a large body whose credentials may be refused. */
const isRepeatable = (request: RequestName, legs: readonly string[]): boolean =>
  request === 'GET' || request === 'CONNECT' || (request === 'large POST' && legs.length > 1);

/** Before the first byte. A connection that had served before may just have been closed: the next one is tried. */
function atFirst(fault: Fault, repeatable: boolean, reused: boolean): readonly Outcome[] {
  return reused && repeatable && fault.by !== 'stall' ? ['whole'] : [failure(fault)];
}

/** The far end of a tunnel, which says who it is as soon as it is there. A reset may be seen before the connection is. */
function inTunnel({ at, by }: Fault): readonly Outcome[] {
  const said = at < BODY.length ? 'cut' : 'whole';
  return by === 'reset' ? [said, 'cut', failure({ at, by })] : [said];
}
