import { expect } from '@jest/globals';
import { markOf } from './next-hop.ts';
import { RawSide } from './raw-side.ts';
import type { Stand } from './stand.ts';
import { ask, eventually, getOf } from './stand.ts';
import type { Message, Transcript } from './strict-reader.ts';
import { isFinal, readResponses, valuesOf } from './strict-reader.ts';

/** What the client asked for. */
export type Asked = 'GET' | 'HEAD' | 'CONNECT' | 'Upgrade';

/** What the next hop does when it has answered. */
export type Then = 'ends' | 'stays';

/** What the client got: a refusal of the tier, the response whole, or a response that was cut so that it shows. */
export interface Relayed {
  readonly kind: 'refused' | 'whole' | 'cut';
  /** The response as the next hop wrote it, where it can be read by the letter. */
  readonly wanted: Message | undefined;
}

const SCRIPTED = '/scripted';
const SECOND = '/second';

/**
 * Has the next hop answer a request with `bytes`, asks something else on a fresh connection, and then on the same one.
 * Fails where the client gets anything but one answer to each request, in one reading; or where a connection is left.
 */
export async function sendResponse(stand: Stand, asked: Asked, bytes: Buffer, then: Then): Promise<Relayed> {
  const { hop, tier } = stand;
  hop.forget();
  const method = asked === 'Upgrade' ? 'GET' : asked;
  const methodOf = (n: number): string => (n === 0 ? method : 'GET');
  const written = readResponses(bytes.toString('latin1'), methodOf, true);
  hop.scripts.set(asked === 'CONNECT' ? hop.authority : SCRIPTED, { bytes, open: then === 'stays' });
  const client = new RawSide(tier.port);
  const got = (): Transcript => readResponses(client.text, methodOf, client.ended);
  const answers = (): number => got().messages.filter(isFinal).length;
  try {
    client.socket.write(requestFor(stand, asked));
    await eventually('the next hop has answered', () => client.ended || hop.requests.length > 0);
    await ask(stand, '/after');
    // The end of what is not whole, or of what its end alone makes whole.
    if (!(written.messages.some(isFinal) && written.end !== 'close')) hop.letGo();
    await client.until(() => client.ended || answers() > 0);
    if (!client.ended && got().end !== 'tunnel') {
      client.socket.write(getOf(hop, SECOND));
      await client.until(() => client.ended || answers() > 1);
    }
    hop.letGo();
    client.socket.end();
    await client.until(() => client.ended);
    await eventually('the tier has closed what it opened', () => tier.connections === 0 && hop.underWay === 0);
    return verdict(got(), written);
  } finally {
    hop.letGo();
    client.socket.destroy();
  }
}

function requestFor({ hop }: Stand, asked: Asked): string {
  if (asked === 'CONNECT') return `CONNECT ${hop.authority} HTTP/1.1\r\nHost: ${hop.authority}\r\n\r\n`;
  if (asked === 'Upgrade') return getOf(hop, SCRIPTED, 'Connection: upgrade\r\nUpgrade: x\r\n');
  return getOf(hop, SCRIPTED).replace('GET', asked);
}

function verdict(got: Transcript, written: Transcript): Relayed {
  expect([got.end, got.why]).not.toContain('fault');
  const wanted = written.messages.find(isFinal);
  const [response, second, ...more] = got.messages.filter(isFinal);
  expect(more).toEqual([]);
  if (second !== undefined) expect(markOf(second)).toMatch(new RegExp(`^GET .*${SECOND}$`));
  if (response === undefined) {
    // Nothing at all would explain nothing.
    expect(['partial', 'clean']).toContain(got.end);
    return { kind: 'cut', wanted };
  }
  if (isRefusal(response)) return { kind: 'refused', wanted };
  if (wanted !== undefined) expect(contentOf(response, got)).toEqual(contentOf(wanted, written));
  return { kind: 'whole', wanted };
}

/** The tier speaks for itself, and blames the next hop (RFC 9209 §2.3). */
function isRefusal({ start: [, status], fields }: Message): boolean {
  const [said = ''] = valuesOf(fields, 'proxy-status');
  return status >= '400' && /; error=[a-z_]+; next-hop="[^"]+"; details="/.test(said);
}

/** Status and content; behind a tunnel's head, what went through it. */
function contentOf({ start: [, status], body }: Message, { end, rest }: Transcript): object {
  return { status, body, through: end === 'tunnel' ? rest : '' };
}
