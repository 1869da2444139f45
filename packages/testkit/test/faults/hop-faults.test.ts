import { describe, expect, test } from '@jest/globals';
import { settled } from './census.ts';
import type { RequestName } from './exchanges.ts';
import { BODY, PROXIES, requestText } from './exchanges.ts';
import type { Fault } from './faulty-hop.ts';
import { FaultyHop } from './faulty-hop.ts';
import { rawAnswer } from './raw-answer.ts';
import type { TierUnderTest } from './tier.ts';
import { downstreamTo, upstream } from './tier.ts';

/**
 * The next hop resets, closes or goes silent after every single byte that it sends in an exchange, all its legs in turn. The
 * client gets the whole answer, an honest error, or a connection that is cut; and the next request works.
 */
const LANES = 8;
/** How long an answer is waited for: where it will not come, and where it will. */
const [SHORT, LONG] = ['100ms', '10s'];

type Start = (port: number, responseTimeout: string) => Promise<TierUnderTest>;

interface Scene {
  readonly scheme: string;
  readonly request: RequestName;
  /** The exchange before it has shown what is asked for, and left a connection behind. */
  readonly known: boolean;
}

/** What has come of a body, in chunks or not. */
const unchunked = (body: string): string =>
  body.replace(/^[0-9a-f]+\r\n|\r\n[0-9a-f]+(?:\r\n|$)/g, '').replace(/\r\n/g, '');

/** What is wrong with an answer, where the hop failed so. */
function whyWrong({ by }: Fault, { request }: Scene, answer: string): string | undefined {
  if (answer === '') return request === 'CONNECT' ? undefined : 'no answer at all';
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]);
  const [head = '', body = ''] = answer.split(/\r\n\r\n(.*)/s);
  const said = /^Proxy-Status: ([^\r]*)/m.exec(head)?.[1] ?? '';
  // Cut, or whole; never anything else that could be taken for whole.
  if (status === 200) return BODY.startsWith(unchunked(body)) ? undefined : `another body: ${body}`;
  if (status === 504 && by === 'stall' && said.includes('error=http_response_timeout')) return undefined;
  if (status === 502 && by !== 'stall' && said.includes('error=connection_terminated')) return undefined;
  return `${status} ${said}`;
}

async function play(tier: TierUnderTest, hop: FaultyHop, scene: Scene, fault: Fault): Promise<string | undefined> {
  const authority = `127.0.0.1:${hop.port}`;
  const ask = (name: RequestName): Promise<string> => rawAnswer(tier.port, requestText(name, authority));
  if (scene.known) await ask('GET');
  void hop.plan(fault);
  const answer = await ask(scene.request);
  const wrong = whyWrong(fault, scene, answer);
  void hop.plan(undefined);
  // The credentials are good: whatever happened does not count against them.
  const next = await ask('GET');
  if (!next.endsWith(BODY) && !next.includes('56789')) return `the next request: ${next.slice(0, 200)}`;
  await settled(() => tier.connections === 0 && hop.connections <= 1);
  if (tier.connections > 0) return `${tier.connections} client connections are left`;
  // One may rest; none is left that nobody knows of.
  if (hop.connections > 1 && scene.request !== 'CONNECT') return `${hop.connections} connections are left`;
  return wrong;
}

/** How many bytes the hop sends when nothing fails. */
async function length(scene: Scene, start: Start): Promise<number> {
  const hop = await FaultyHop.start(PROXIES[scene.scheme] as never);
  const tier = await start(hop.port, LONG);
  const authority = `127.0.0.1:${hop.port}`;
  if (scene.known) await rawAnswer(tier.port, requestText('GET', authority));
  void hop.plan(undefined);
  const answer = await rawAnswer(tier.port, requestText(scene.request, authority));
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  const { sent } = hop;
  await tier.close();
  hop.close();
  return sent;
}

async function everyByte(scene: Scene, start: Start): Promise<Record<string, string>> {
  const wrong: Record<string, string> = {};
  const bytes = await length(scene, start);
  const faults: Fault[] = (['reset', 'close', 'stall'] as const).flatMap((by) =>
    Array.from({ length: bytes + 1 }, (_, at) => ({ at, by })),
  );
  const lane = async (): Promise<void> => {
    for (let fault = faults.shift(); fault !== undefined; fault = faults.shift()) {
      const hop = await FaultyHop.start(PROXIES[scene.scheme] as never);
      const tier = await start(hop.port, fault.by === 'stall' ? SHORT : LONG);
      const why = await play(tier, hop, scene, fault);
      if (why !== undefined) wrong[`${fault.by} after ${fault.at} of ${bytes}`] = why;
      await tier.close();
      await settled(() => hop.connections === 0);
      if (hop.connections > 0)
        wrong[`${fault.by} after ${fault.at}: closed`] = `${hop.connections} connections are left`;
      hop.close();
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return wrong;
}

const DOWNSTREAM: readonly Scene[] = [
  ...(['none', 'basic', 'ntlm'] as const).flatMap((scheme) =>
    (['GET', 'POST', 'large POST', 'CONNECT'] as const).map((request) => ({ scheme, request, known: false })),
  ),
  ...['digest', 'bearer', 'negotiate'].map((scheme): Scene => ({ scheme, request: 'GET', known: false })),
  ...['basic', 'ntlm', 'digest'].flatMap((scheme) =>
    (['GET', 'CONNECT'] as const).map((request): Scene => ({ scheme, request, known: true })),
  ),
];

describe('the downstream', () => {
  test.each(DOWNSTREAM)('$scheme, $request, known: $known', async (scene) => {
    expect(
      await everyByte(scene, (port, responseTimeout) => downstreamTo(port, { scheme: scene.scheme, responseTimeout })),
    ).toEqual({});
  });
});

describe('the upstream', () => {
  test.each<Scene>([
    { scheme: 'none', request: 'GET', known: false },
    { scheme: 'none', request: 'GET', known: true },
    { scheme: 'none', request: 'POST', known: false },
    { scheme: 'none', request: 'large POST', known: true },
    { scheme: 'none', request: 'CONNECT', known: false },
  ])('$request, known: $known', async (scene) => {
    expect(await everyByte(scene, (_port, responseTimeout) => upstream(responseTimeout))).toEqual({});
  });
});
