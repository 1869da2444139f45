import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Census, settled } from './census.ts';
import type { RequestName } from './exchanges.ts';
import { ALICE, BODY, PROXIES, requestsTo, requestText } from './exchanges.ts';
import type { Fault } from './faulty-hop.ts';
import { FaultyHop } from './faulty-hop.ts';
import { leftovers } from './leftovers.ts';
import type { Rehearsal } from './outcome.ts';
import { expectedOf, outcomeOf } from './outcome.ts';
import { rawAnswer } from './raw-answer.ts';
import type { TierUnderTest } from './tier.ts';
import { downstreamTo, upstream } from './tier.ts';

/**
 * The next hop resets, closes or goes silent after every single byte that it sends in an exchange, all its legs in turn, and
 * at every request that it gets. The client gets the whole answer, an honest error, or a connection that is cut; nothing is
 * left, nothing counts against the credentials, and the next request works.
 */
const WAYS = ['reset', 'close', 'stall'] as const;
/** How long an answer is waited for: where it will not come, and where it will. */
const [SHORT, LONG] = ['300ms', '10s'];
/** Tiers that run side by side: waiting costs nothing. */
const LANES = { reset: 1, close: 1, stall: 120 };

type Start = (port: number, timeout: string) => Promise<TierUnderTest>;

interface Scene {
  readonly scheme: string;
  readonly request: RequestName;
  /** The exchange before it has shown what is asked for, and left a connection behind. */
  readonly known: boolean;
  /** Whose credentials go to the hop: the tier's, or what the client sends. */
  readonly relayed?: boolean;
}

let census: Census;
beforeEach(() => {
  census = new Census();
});
afterEach(() => census.end());

/** A tier, a hop behind it, and one scene that is played again and again. */
class Lane {
  readonly #tier: TierUnderTest;
  readonly #hop: FaultyHop;
  readonly #scene: Scene;

  private constructor(tier: TierUnderTest, hop: FaultyHop, scene: Scene) {
    this.#tier = tier;
    this.#hop = hop;
    this.#scene = scene;
  }

  static async open(scene: Scene, start: Start, timeout: string): Promise<Lane> {
    const hop = await FaultyHop.start(PROXIES[scene.scheme] as never);
    return new Lane(await start(hop.port, timeout), hop, scene);
  }

  async rehearse(): Promise<Rehearsal> {
    const { request, known } = this.#scene;
    await this.#begin();
    void this.#hop.plan(undefined);
    expect(outcomeOf(await this.#ask(request))).toBe('whole');
    const legs = [...this.#hop.legs];
    await this.#end();
    return { request, legs, reused: known };
  }

  /** What is wrong after this fault. */
  async play(fault: Fault, rehearsal: Rehearsal): Promise<string | undefined> {
    await this.#begin();
    const wrong = await this.#whatIsWrong(fault, rehearsal);
    return (await this.#end()) ?? wrong;
  }

  async #whatIsWrong(fault: Fault, rehearsal: Rehearsal): Promise<string | undefined> {
    void this.#hop.plan(fault);
    const outcome = outcomeOf(await this.#ask(this.#scene.request));
    void this.#hop.plan(undefined);
    const expected = expectedOf(fault, rehearsal);
    if (!expected.includes(outcome)) return `${outcome}; expected ${expected.join(' or ')}`;
    const left = await leftovers(this.#tier, this.#hop);
    if (left !== undefined) return left;
    const next = outcomeOf(await this.#ask(this.#next));
    return next === 'whole' ? undefined : `the next request: ${next}`;
  }

  async close(): Promise<void> {
    await this.#tier.close();
    this.#hop.close();
  }

  async #begin(): Promise<void> {
    this.#hop.greeting = '';
    if (this.#scene.known) expect(outcomeOf(await this.#ask('GET'))).toBe('whole');
    // A site does not see the CONNECT; who is behind it speaks first.
    if (this.#tier.resting === undefined && this.#scene.request === 'CONNECT') this.#hop.greeting = BODY;
  }

  get #next(): RequestName {
    return this.#hop.greeting === '' ? 'GET' : 'CONNECT';
  }

  #ask(name: RequestName): Promise<string> {
    return rawAnswer(
      this.#tier.port,
      requestText(name, `127.0.0.1:${this.#hop.port}`, this.#scene.relayed ? ALICE : ''),
    );
  }

  async #end(): Promise<string | undefined> {
    const left = await leftovers(this.#tier, this.#hop);
    this.#tier.forget();
    this.#hop.dismiss();
    await settled(() => this.#hop.connections === 0);
    return left;
  }
}

function faultsOf(by: Fault['by'], { legs, reused }: Rehearsal): Fault[] {
  const begins = legs.map((_, i) => legs.slice(0, i).join('').length);
  const bytes = legs.join('').length;
  const counted = Array.from({ length: bytes + 1 }, (_, at): Fault => ({ at, by })).filter(
    // A connection that is there already is not made; and who has said all, and is not asked, is not silent.
    ({ at }) => (at > 0 || !reused) && (by !== 'stall' || !(begins.includes(at) || at === bytes)),
  );
  return [...counted, ...begins.map((at): Fault => ({ at, by, asked: true }))];
}

/** The faults after which something was wrong, and what. */
async function everyByte(scene: Scene, start: Start): Promise<Record<string, string>> {
  const wrong: Record<string, string> = {};
  for (const by of WAYS) {
    const lanes = await Promise.all(
      Array.from({ length: LANES[by] }, () => Lane.open(scene, start, by === 'stall' ? SHORT : LONG)),
    );
    const rehearsal = await (lanes[0] as Lane).rehearse();
    const faults = faultsOf(by, rehearsal);
    const take = async (lane: Lane): Promise<void> => {
      for (let fault = faults.shift(); fault !== undefined; fault = faults.shift()) {
        const why = await lane.play(fault, rehearsal);
        if (why !== undefined) wrong[`${by} after ${fault.at}${fault.asked ? ' and a request' : ''}`] = why;
      }
      await lane.close();
    };
    await Promise.all(lanes.map(take));
  }
  const remains = await census.remains();
  return remains === undefined ? wrong : { ...wrong, remains };
}

const SCHEMES = Object.keys(PROXIES);

const scenes = (schemes: readonly string[], more: Omit<Scene, 'scheme' | 'request'>): Scene[] =>
  schemes.flatMap((scheme) => requestsTo(scheme).map((request) => ({ scheme, request, ...more })));

describe('the next hop of a downstream fails', () => {
  test.each([
    ...scenes(SCHEMES, { known: false }),
    ...scenes(SCHEMES, { known: true }),
    ...scenes(['basic'], { known: false, relayed: true }),
    ...scenes(['basic'], { known: true, relayed: true }),
  ])('$scheme, $request, known: $known, relayed: $relayed', async (scene) => {
    const identity = scene.relayed ? { identity: 'relay' as const } : {};
    const start: Start = (port, timeout) =>
      downstreamTo(port, { scheme: scene.scheme.replace(/ .*/, ''), timeout, ...identity });
    expect(await everyByte(scene, start)).toEqual({});
  });
});

describe('the origin of an upstream fails', () => {
  test.each<Scene>([
    { scheme: 'none', request: 'GET', known: false },
    { scheme: 'none', request: 'GET', known: true },
    { scheme: 'none', request: 'POST', known: false },
    { scheme: 'none', request: 'POST', known: true },
    { scheme: 'none', request: 'large POST', known: true },
    { scheme: 'none', request: 'CONNECT', known: false },
  ])('$request, known: $known', async (scene) => {
    expect(await everyByte(scene, (_port, timeout) => upstream(timeout))).toEqual({});
  });
});
