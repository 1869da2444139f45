import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Census, settled } from './census.ts';
import type { RequestName } from './exchanges.ts';
import { ALICE, BODY, offsets, PROXIES, requestsTo, requestText } from './exchanges.ts';
import { FaultyHop } from './faulty-hop.ts';
import { leftovers } from './leftovers.ts';
import { outcomeOf, unframed } from './outcome.ts';
import { rawAnswer } from './raw-answer.ts';
import type { TierUnderTest } from './tier.ts';
import { downstreamTo, upstream } from './tier.ts';

/**
 * The client resets, closes or ends its direction after every single byte of the request that it sends, and at every single
 * byte of the answer that is on its way to it. Nothing of it is left then, nothing counts against the credentials, and the
 * next client is served.
 */
const WAYS = ['reset', 'close', 'half-close'] as const;
type Way = (typeof WAYS)[number];

/** No time-out is to be waited for: what is seen here is seen at once. */
const LONG = '10s';

interface Scene {
  readonly scheme: string;
  readonly request: RequestName;
}

let census: Census;
beforeEach(() => {
  census = new Census();
});
afterEach(() => census.end());

/** A client that is here. */
interface Arrived {
  readonly socket: Socket;
  /** What it has got. */
  answer(): string;
  /** Resolves when nothing more can come. */
  go(way: Way): Promise<void>;
}

/** What a client is told that ends its direction inside of its request: it is there still (RFC 9112 §8). */
const TOLD = '400 http_request_error';

/** An answer without what depends on the second, or on which bytes of a body came together. */
function timeless(answer: string): string {
  const { head, body } = unframed(answer);
  return head === '' ? answer : `${head.replace(/\r\nDate: .*/, '')}\r\n\r\n${body}`;
}

class Departure {
  readonly #tier: TierUnderTest;
  readonly #hop: FaultyHop;
  readonly #text: string;
  readonly #fields: string;
  /** Of the answer that nobody leaves; and what the hop says for it. */
  #head = '';
  #legs: readonly string[] = [];

  constructor(tier: TierUnderTest, hop: FaultyHop, request: RequestName, fields: string) {
    this.#tier = tier;
    this.#hop = hop;
    this.#text = requestText(request, `127.0.0.1:${hop.port}`, fields);
    this.#fields = fields;
  }

  get text(): string {
    return this.#text;
  }

  /** Bytes that the hop sends for it in all. */
  async answerLength(): Promise<number> {
    void this.#hop.plan(undefined);
    const whole = await rawAnswer(this.#tier.port, this.#text);
    expect(outcomeOf(whole)).toBe('whole');
    const answer = timeless(whole);
    this.#head = answer.slice(0, answer.indexOf('\r\n\r\n') + 4);
    this.#legs = [...this.#hop.legs];
    await this.#leaveAlone();
    return this.#legs.join('').length;
  }

  /** What is wrong, where it goes when the tier has had so many bytes of its request. */
  async inRequest(at: number, way: Way): Promise<string | undefined> {
    void this.#hop.plan(undefined);
    const client = await this.#arrive();
    client.socket.write(this.#text.slice(0, at), 'latin1');
    const peer = census.peerOf(client.socket);
    await settled(() => peer !== undefined && peer.bytesRead >= at);
    await client.go(way);
    const expected = way === 'half-close' && at > 0 ? TOLD : 'nothing';
    const outcome = outcomeOf(client.answer());
    return outcome === expected ? this.#after() : `${outcome}; expected ${expected}`;
  }

  /** The same, where the hop has sent so many bytes of its answer, and the client has got what there is to pass on. */
  async inAnswer(at: number, way: Way): Promise<string | undefined> {
    const sent = this.#hop.plan({ at, by: 'stall', asked: true });
    const client = await this.#arrive();
    client.socket.write(this.#text, 'latin1');
    await sent;
    await setImmediate();
    const expected = this.#passedOn(at);
    await settled(() => timeless(client.answer()) === expected);
    await client.go(way);
    // Who ends its direction is gone for us, too: nothing more comes.
    const answer = timeless(client.answer());
    return answer === expected ? this.#after() : `the answer ${answer}; expected ${expected}`;
  }

  /** What there is of the answer for the client, where the hop has sent so many bytes; nothing before the head is whole. */
  #passedOn(at: number): string {
    const last = this.#legs.at(-1) as string;
    const come = last.slice(0, Math.max(0, at - this.#legs.slice(0, -1).join('').length));
    // The far end of a tunnel sends no head.
    if (!last.startsWith('HTTP/')) return this.#head + come;
    const { head, body } = unframed(come);
    return head === '' ? '' : this.#head + body;
  }

  async #arrive(): Promise<Arrived> {
    const socket = connect({ host: '127.0.0.1', port: this.#tier.port, noDelay: true, allowHalfOpen: true });
    let answer = '';
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      answer += bytes.toString('latin1');
    });
    socket.once('end', () => socket.end());
    await once(socket, 'connect');
    await settled(() => census.peerOf(socket) !== undefined);
    const go = async (way: Way): Promise<void> => {
      const closed = once(socket, 'close');
      if (way === 'reset') socket.resetAndDestroy();
      else if (way === 'close') socket.destroy();
      else socket.end();
      await closed;
    };
    return { socket, answer: () => answer, go };
  }

  #ask(name: RequestName): Promise<string> {
    return rawAnswer(this.#tier.port, requestText(name, `127.0.0.1:${this.#hop.port}`, this.#fields));
  }

  /** What is wrong when the client has gone. */
  async #after(): Promise<string | undefined> {
    const left = await leftovers(this.#tier, this.#hop);
    if (left !== undefined) return left;
    void this.#hop.plan(undefined);
    // Who speaks unasked is no site.
    const next = await this.#ask(this.#hop.greeting === '' ? 'GET' : 'CONNECT');
    if (outcomeOf(next) !== 'whole') return `the next request: ${next}`;
    return this.#leaveAlone();
  }

  /** The next client finds all as it was at first. */
  async #leaveAlone(): Promise<string | undefined> {
    const left = await leftovers(this.#tier, this.#hop);
    this.#tier.forget();
    // An upstream tier keeps its connection to the origin.
    return left ?? (this.#tier.resting === undefined ? undefined : census.remains());
  }
}

interface Facts {
  readonly request: RequestName;
  readonly tier: TierUnderTest;
  readonly hop: FaultyHop;
  readonly fields?: string;
}

/** The departures after which something was wrong, and what. */
async function everyDeparture({ request, tier, hop, fields = '' }: Facts): Promise<Record<string, string>> {
  const wrong: Record<string, string> = {};
  const departure = new Departure(tier, hop, request, fields);
  const length = await departure.answerLength();
  await departure.answerLength();
  for (const way of WAYS) {
    for (const at of offsets(departure.text)) {
      const why = await departure.inRequest(at, way);
      if (why !== undefined) wrong[`${way} after ${at} bytes of the request`] = why;
    }
    for (let at = 0; at < length; at += 1) {
      const why = await departure.inAnswer(at, way);
      if (why !== undefined) wrong[`${way} when ${at} bytes were answered`] = why;
    }
  }
  await tier.close();
  hop.close();
  const remains = await census.remains();
  return remains === undefined ? wrong : { ...wrong, remains };
}

const scenes = (schemes: readonly string[]): Scene[] =>
  schemes.flatMap((scheme) => requestsTo(scheme).map((request) => ({ scheme, request })));

describe('a client of the downstream goes', () => {
  test.each(scenes(Object.keys(PROXIES)))('$scheme, $request', async ({ scheme: proxy, request }) => {
    const hop = await FaultyHop.start(PROXIES[proxy] as never);
    const scheme = proxy.replace(/ .*/, '');
    const tier = await downstreamTo(hop.port, { scheme, timeout: LONG });
    expect(await everyDeparture({ request, tier, hop })).toEqual({});
  });

  test.each(requestsTo('basic'))('that relays what it sends, $request', async (request) => {
    const hop = await FaultyHop.start(PROXIES.basic as never);
    const tier = await downstreamTo(hop.port, { scheme: 'basic', identity: 'relay', timeout: LONG });
    expect(await everyDeparture({ request, tier, hop, fields: ALICE })).toEqual({});
  });
});

describe('a client of the upstream goes', () => {
  test.each(scenes(['none', 'basic']))('$scheme, $request', async ({ scheme, request }) => {
    const hop = await FaultyHop.start(PROXIES.none as never);
    if (request === 'CONNECT') hop.greeting = BODY;
    const tier = await upstream(LONG, scheme === 'none' ? [] : [scheme]);
    expect(await everyDeparture({ request, tier, hop, ...(scheme === 'none' ? {} : { fields: ALICE }) })).toEqual({});
  });
});
