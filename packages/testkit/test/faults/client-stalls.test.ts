import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Census, settled } from './census.ts';
import type { RequestName } from './exchanges.ts';
import { ALICE, offsets, PROXIES, requestText } from './exchanges.ts';
import { FaultyHop } from './faulty-hop.ts';
import { outcomeOf } from './outcome.ts';
import { rawAnswer } from './raw-answer.ts';
import type { TierUnderTest } from './tier.ts';
import { downstreamTo, upstream } from './tier.ts';

/**
 * The client stops after every single byte of its request, and waits. It is told so (408, RFC 9110 §15.5.9), the next hop is not
 * blamed, nothing of it is left then, nothing counts against the credentials, and the next client is served. They all wait
 * at the same time, each on a connection of its own.
 */
const TIMEOUT = '400ms';

let census: Census;
beforeEach(() => {
  census = new Census();
});
afterEach(() => census.end());

interface Facts {
  readonly request: RequestName;
  readonly tier: TierUnderTest;
  readonly hop: FaultyHop;
  readonly fields?: string;
}

/** What the clients were told that were not told 408, by where they stopped; and what is wrong afterwards. */
async function everyStall({ request, tier, hop, fields = '' }: Facts): Promise<Record<string, string>> {
  const wrong: Record<string, string> = {};
  const text = requestText(request, `127.0.0.1:${hop.port}`, fields);
  const stop = async (at: number): Promise<void> => {
    const outcome = outcomeOf(await rawAnswer(tier.port, text.slice(0, at)));
    if (outcome !== '408 http_request_error') wrong[`after ${at} bytes`] = outcome;
  };
  await Promise.all(offsets(text).map(stop));
  const quiet = (): boolean => tier.connections === 0 && tier.held === undefined && hop.connections <= 1;
  if (!(await settled(quiet)))
    wrong.left = `${tier.connections} of clients, ${hop.connections} to the hop, ${tier.held}`;
  if (tier.errors.length > 0) wrong.errors = tier.errors.join();
  const next = outcomeOf(await rawAnswer(tier.port, requestText('POST', `127.0.0.1:${hop.port}`, fields)));
  if (next !== 'whole') wrong.next = next;
  await tier.close();
  hop.close();
  return wrong;
}

const REQUESTS = ['GET', 'POST', 'large POST', 'chunked POST', 'CONNECT'] as const;

/** The same of every request, side by side: each has a tier and a hop of its own. */
async function everyRequest(open: () => Promise<Omit<Facts, 'request'>>): Promise<Record<string, unknown>> {
  const play = async (request: RequestName) => [request, await everyStall({ request, ...(await open()) })] as const;
  const wrong = (await Promise.all(REQUESTS.map(play))).filter(([, found]) => Object.keys(found).length > 0);
  const remains = await census.remains();
  return { ...Object.fromEntries(wrong), ...(remains === undefined ? {} : { remains }) };
}

/** `digest auth-int`: the body is hashed before it is sent. */
test.each(['none', 'basic', 'digest', 'digest auth-int', 'ntlm'])(
  'a client of a downstream stalls: %s',
  async (proxy) => {
    const open = async () => {
      const hop = await FaultyHop.start(PROXIES[proxy] as never);
      return { hop, tier: await downstreamTo(hop.port, { scheme: proxy.replace(/ .*/, ''), timeout: TIMEOUT }) };
    };
    expect(await everyRequest(open)).toEqual({});
  },
);

test.each([
  ['nobody', [], ''],
  ['by Basic', ['basic'], ALICE],
] as const)('a client of an upstream that asks %s stalls', async (_what, schemes, fields) => {
  const open = async () => {
    const hop = await FaultyHop.start(PROXIES.none as never);
    return { hop, fields, tier: await upstream(TIMEOUT, schemes) };
  };
  expect(await everyRequest(open)).toEqual({});
});

describe('the next hop is at fault', () => {
  /** Takes connections, and nothing that comes on them. */
  const mute = async (): Promise<FaultyHop> => {
    const hop = await FaultyHop.start(() => '');
    hop.deaf = true;
    return hop;
  };
  const tiers: readonly (readonly [string, (port: number) => Promise<TierUnderTest>])[] = [
    ['downstream', (port) => downstreamTo(port, { scheme: 'none', timeout: TIMEOUT })],
    ['upstream', () => upstream(TIMEOUT)],
  ];

  test.each(tiers)('where it does not take what the client of the %s sends', async (_name, start) => {
    const hop = await mute();
    const tier = await start(hop.port);
    const length = 64 * 1024 * 1024;
    const socket = connect({ host: '127.0.0.1', port: tier.port });
    socket.on('error', () => undefined);
    const authority = `127.0.0.1:${hop.port}`;
    socket.write(`POST http://${authority}/ HTTP/1.1\r\nHost: ${authority}\r\nContent-Length: ${length}\r\n\r\n`);
    socket.write(Buffer.alloc(length, 'x'));
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    await tier.close();
    hop.close();
    expect(bytes.toString('latin1')).toMatch(/^HTTP\/1\.1 504 [\s\S]*error=http_response_timeout/);
    expect(await census.remains()).toBeUndefined();
  });

  test.each(tiers)('where it does not say whether the client of the %s is to go on', async (_name, start) => {
    const hop = await mute();
    const tier = await start(hop.port);
    const text = requestText('POST', `127.0.0.1:${hop.port}`, 'Expect: 100-continue\r\n').slice(0, -5);
    expect(outcomeOf(await rawAnswer(tier.port, text))).toBe('504 http_response_timeout');
    await tier.close();
    hop.close();
    expect(await census.remains()).toBeUndefined();
  });
});
