import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { TierName } from './lane.ts';
import { Lane, onLanes } from './lane.ts';
import { OWN_REQUESTS } from './own-requests.ts';
import { NOT_REJECTED, publishedMessages } from './published.ts';
import { whyWrong } from './verdict.ts';

/**
 * Requests that are malformed or odd, against both tiers. The verdict is taken at the next hop's socket: refused, or
 * forwarded so that there is one reading of it.
 */
const LANES = 8;
const GOOD = 'GET http://__ORIGIN__/good HTTP/1.1\r\nHost: __ORIGIN__\r\nConnection: close\r\n\r\n';

test.each([...NOT_REJECTED])('%s may be forwarded: %s', (id) => {
  const published = [...publishedMessages('request'), ...publishedMessages('response')];
  expect(published.length === 0 || published.some((message) => message.id === id)).toBe(true);
});

describe.each<[TierName]>([['downstream'], ['upstream']])('%s', (tier) => {
  let lanes: Lane[];

  beforeAll(async () => {
    lanes = await Promise.all(Array.from({ length: LANES }, () => Lane.start(tier)));
  });
  afterAll(() => Promise.all(lanes.map((lane) => lane.close())));

  const bytesFor = (lane: Lane, text: string): Buffer =>
    Buffer.from(text.replaceAll('__ORIGIN__', lane.authority), 'latin1');

  /** The faults found, by case. */
  async function faultsOf(
    cases: readonly { readonly id: string; readonly expect: string; readonly text: string }[],
  ): Promise<Record<string, string>> {
    const faults: Record<string, string> = {};
    await onLanes(lanes, cases, async (lane, { id, expect: wanted, text }) => {
      const outcome = await lane.tell(bytesFor(lane, text));
      const fault = whyWrong(wanted, outcome);
      if (fault !== undefined) faults[id] = fault;
      const { client } = await lane.tell(bytesFor(lane, GOOD));
      if (!client.startsWith('HTTP/1.1 200 ')) faults[`after ${id}`] = client;
    });
    return faults;
  }

  test(`the ${OWN_REQUESTS.length} of our own`, async () => {
    expect(await faultsOf(OWN_REQUESTS)).toEqual({});
  });

  const published = publishedMessages('request');
  test(`the ${published.length} that others have published${published.length === 0 ? ' (CHAIN407_DATA is not set)' : ''}`, async () => {
    const cases = published.map(({ id, expect: wanted, rawB64, proxyRawB64 }) => ({
      id,
      expect: NOT_REJECTED.has(id) ? 'must-not-desync' : wanted,
      text: Buffer.from(proxyRawB64 ?? rawB64, 'base64').toString('latin1'),
    }));
    expect(await faultsOf(cases)).toEqual({});
  }, 120_000);
});
