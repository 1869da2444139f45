import { STATUS_CODES } from 'node:http';
import { responseHeadText } from './message-text.ts';
import type { Faults, Judgement, ScriptedManners, ScriptedRequest } from './scripted-options.ts';
import { switchProtocols } from './upgrade.ts';

/** A response as bytes, and what follows it on the connection. */
export interface ScriptedResponse {
  readonly head: string;
  readonly body: string;
  readonly next: 'next-request' | 'close' | 'tunnel' | 'endless-body';
}

const chunk = (text: string): string => `${Buffer.byteLength(text, 'latin1').toString(16)}\r\n${text}\r\n`;

function lengthOf(body: string): string[] {
  return ['Content-Length', String(Buffer.byteLength(body, 'latin1'))];
}

function statusLine(version: string, status: number): string {
  return `HTTP/${version} ${status} ${STATUS_CODES[status] ?? 'Unknown'}`;
}

/** The response to `request` for a judgement, in the manner of `faults`. */
export function scriptedResponse(
  judgement: Judgement,
  request: ScriptedRequest,
  faults: Faults,
  manners: ScriptedManners,
): ScriptedResponse {
  if (judgement === 'accept') return acceptance(request, faults);
  if (judgement === 'reject') return refusal(manners.advertise, request, faults, manners.page);
  if ('challenges' in judgement) return refusal(judgement.challenges, request, faults, manners.page);
  const { status, headers = [], body = '' } = judgement;
  // RFC 9110 §8.6: these have no Content-Length.
  const length = status === 204 || status === 304 ? [] : lengthOf(body);
  const head = responseHeadText(statusLine('1.1', status), [...headers.flat(), ...length]);
  return { head, body: request.method === 'HEAD' ? '' : body, next: 'next-request' };
}

/** 200 with the request as JSON, as {@link ScriptedRequest} less its body; 200 or 101 before a tunnel. */
function acceptance(request: ScriptedRequest, { greeting = '' }: Faults): ScriptedResponse {
  if (request.method === 'CONNECT') {
    return {
      head: `${responseHeadText('HTTP/1.1 200 Connection established', [])}${greeting}`,
      body: '',
      next: 'tunnel',
    };
  }
  const fields = switchProtocols(request.headers.flat());
  if (fields !== undefined) {
    return { head: `${responseHeadText(statusLine('1.1', 101), fields)}${greeting}`, body: '', next: 'tunnel' };
  }
  const { connection, turn, method, target, headers } = request;
  const body = `${JSON.stringify({ connection, turn, method, target, headers, bodyLength: request.body.length })}\n`;
  const head = responseHeadText(statusLine('1.1', 200), ['Content-Type', 'application/json', ...lengthOf(body)]);
  return { head, body: method === 'HEAD' ? '' : body, next: 'next-request' };
}

type Framing = NonNullable<Faults['framing407']>;

const FRAMINGS: Readonly<Record<Framing, (page: string) => { readonly fields: string[]; readonly body: string }>> = {
  length: (page) => ({ fields: lengthOf(page), body: page }),
  chunked: (page) => ({ fields: ['Transfer-Encoding', 'chunked'], body: `${chunk(page)}0\r\n\r\n` }),
  close: (page) => ({ fields: [], body: page }),
  empty: () => ({ fields: lengthOf(''), body: '' }),
  endless: (page) => ({ fields: ['Transfer-Encoding', 'chunked'], body: chunk(page) }),
};

function refusal(
  challenges: readonly string[],
  request: ScriptedRequest,
  faults: Faults,
  page: string,
): ScriptedResponse {
  const { framing407 = 'length', closeAfter407, version407 = '1.1', early407 } = faults;
  const { fields, body } = FRAMINGS[framing407](page);
  const head = responseHeadText(statusLine(version407, 407), [
    ...challenges.flatMap((challenge) => ['Proxy-Authenticate', challenge]),
    ...['Content-Type', 'text/plain'],
    ...(closeAfter407 === 'announced' ? ['Connection', 'close'] : []),
    ...(closeAfter407 === 'proxy-connection' ? ['Proxy-Connection', 'close'] : []),
    ...fields,
  ]);
  const bodiless = request.method === 'HEAD';
  const closes = closeAfter407 !== undefined || version407 === '1.0' || framing407 === 'close' || early407 === 'close';
  if (framing407 === 'endless' && !bodiless) return { head, body, next: 'endless-body' };
  return { head, body: bodiless ? '' : body, next: closes ? 'close' : 'next-request' };
}
