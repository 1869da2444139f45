import { expect } from '@jest/globals';
import { markOf } from './next-hop.ts';
import type { Cut } from './raw-side.ts';
import { RawSide } from './raw-side.ts';
import type { Stand } from './stand.ts';
import { ask, eventually } from './stand.ts';
import type { Message, Transcript } from './strict-reader.ts';
import { isFinal, readRequests, readResponses, valuesOf } from './strict-reader.ts';

/** What became of a client's bytes. */
export interface Sent {
  /** The client's bytes by the letter. */
  readonly asked: Transcript;
  /** How many of them the next hop gets when all is well. */
  readonly due: number;
  /** What the next hop got whole. */
  readonly passed: readonly Message[];
  /** Requests that the next hop got in part, and then the end of their connection. */
  readonly cut: number;
  /** What the client got, but 1xx. */
  readonly answers: readonly Message[];
}

const AFTER = '/after';

/**
 * What is against the letter, and a proxy may mend: userinfo (RFC 9110 §4.2.4), forbidden trailers (§6.5.1), spaces in the
 * request line (RFC 9112 §3), CONNECT without Host.
 */
const MENDED = [
  /^the authority [^ ]*@[^ ]*$/,
  /^(?:Host|Content-Type|Proxy-Authorization) in the trailers$/,
  /^the line "GET {2}http:[^ ]* HTTP\/1\.1"$/,
  /^0 Host to CONNECT$/,
];

/**
 * Writes `bytes` as a client, asks something else on a fresh connection, and ends. Fails where the next hop got anything
 * but whole and cut requests that have one reading, where the client's answers are not those of its requests, in their
 * order, or where a connection is left.
 */
export async function sendRequests(stand: Stand, bytes: Buffer, cut: Cut = 'whole'): Promise<Sent> {
  const { hop, tier, connect } = stand;
  hop.forget();
  const asked = readRequests(bytes.toString('latin1'));
  const client = new RawSide(tier.port);
  // HEAD is answered without a body, also where the rest of it is wrong.
  const methodOf = (n: number): string => asked.messages[n]?.start[0] ?? /^\w*/.exec(asked.rest)?.[0] ?? '';
  const answers = (): Transcript => readResponses(client.text, methodOf, client.ended);
  try {
    await client.write(bytes, cut);
    // What is right is answered, or the connection ends; what is not whole waits for more.
    await client.until(() => client.ended || answers().messages.filter(isFinal).length >= asked.messages.length);
    await ask(stand, AFTER);
    client.socket.end();
    await client.until(() => client.ended);
    await eventually('the tier has closed what it opened', () => tier.connections === 0 && hop.underWay === 0);

    const got = answers();
    expect(hop.faults).toEqual([]);
    expect([got.end, got.why]).not.toContain('fault');
    expect(got.end).not.toBe('partial');
    const arrived = hop.requests.filter(({ start: [, target] }) => !target.endsWith(AFTER));
    // Of a tunnel that was dialled, the next hop sees nothing but what is in it.
    const inside = connect === 'dials' && got.end === 'tunnel' ? readRequests(afterConnect(asked)).messages : [];
    const passed = arrived.slice(0, arrived.length - inside.length);
    expect(arrived.slice(passed.length)).toEqual(inside);
    const due = asked.messages.length - (connect === 'dials' && asked.end === 'tunnel' ? 1 : 0);
    const answered = got.messages.filter(isFinal);
    expectInTurn(asked, passed, answered);
    if (got.end === 'tunnel' && connect === 'asks') expect(hop.tunnelled).toBe(afterConnect(asked));
    return { asked, due, passed, cut: hop.cut, answers: answered };
  } finally {
    client.socket.destroy();
  }
}

/** Every request that went on was answered by its own answer, and is the one that the client wrote. */
function expectInTurn(asked: Transcript, passed: readonly Message[], answers: readonly Message[]): void {
  const marks = answers.flatMap((answer) => markOf(answer) ?? []);
  expect(marks).toEqual(passed.map(({ start: [method, target] }) => `${method} ${target}`));
  let next = 0;
  for (const [n, answer] of answers.entries()) {
    if (markOf(answer) === undefined) {
      expectOurs(answer, asked.messages[n]);
      continue;
    }
    const theirs = passed[next];
    const wanted = asked.messages[n];
    next += 1;
    if (theirs === undefined) continue;
    if (wanted === undefined) {
      expect(MENDED.filter((mended) => mended.test(asked.why))).toHaveLength(1);
      continue;
    }
    expect([theirs.start[0], pathOf(theirs), theirs.body]).toEqual([wanted.start[0], pathOf(wanted), wanted.body]);
    for (const trailer of theirs.trailers) expect(wanted.trailers).toContainEqual(trailer);
  }
}

const pathOf = ({ start: [method, target] }: Message): string => {
  if (method === 'CONNECT') return target;
  const path = target.replace(/^https?:\/\/[^/?]*/i, '');
  return path === '' || path.startsWith('?') ? `/${path}` : path;
};

/** An answer that the tier makes itself says that it does, and why. */
function expectOurs({ start: [, status], fields }: Message, request: Message | undefined): void {
  if (Number(status) >= 400) expect(valuesOf(fields, 'proxy-status')).toHaveLength(1);
  // Where a request ends at the proxy by its own wish (RFC 9110 §7.6.2), or in a tunnel.
  else expect(['OPTIONS', 'TRACE', 'CONNECT']).toContain(request?.start[0] ?? 'CONNECT');
}

/** The bytes behind CONNECT, which are none of HTTP's business. */
function afterConnect({ rest, end }: Transcript): string {
  return end === 'tunnel' ? rest : rest.slice(rest.indexOf('\r\n\r\n') + 4);
}
