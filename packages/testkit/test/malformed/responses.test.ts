import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Outcome, TierName } from './lane.ts';
import { Lane, onLanes } from './lane.ts';
import { OWN_RESPONSES } from './own-responses.ts';
import { NOT_REJECTED, publishedMessages } from './published.ts';
import { readResponses } from './strict-reader.ts';

/**
 * Responses that are malformed or odd, through both tiers. The client asks twice on one connection: the first time it gets a
 * refusal of the tier, one message in one reading, or a connection that is cut; the second time its own answer or none.
 */
const LANES = 8;
const SECOND = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsecond';
const PIPELINE = ['one', 'two']
  .map((path) => `GET http://__ORIGIN__/${path} HTTP/1.1\r\nHost: __ORIGIN__\r\n\r\n`)
  .join('');

/** What is wrong with what the client got, or nothing. */
function whyWrong(wanted: string, { client }: Outcome): string | undefined {
  const { messages, rest } = readResponses(client, ['GET', 'GET'], true);
  const [first, second, ...more] = messages;
  if (rest.startsWith('bad')) return `the client got what it cannot read: ${rest}`;
  if (more.length > 0) return `${messages.length} answers to two requests`;
  if (second !== undefined && second.body !== 'second') return `the second answer is ${JSON.stringify(second.body)}`;
  if (wanted !== 'must-reject' || first === undefined) return undefined;
  const refused = /^HTTP\/1\.1 50[24] /.test(first.first) && first.fields.some(([name]) => name === 'proxy-status');
  // What broke off after its head was good is cut: it must not look whole.
  return refused || (first.body === 'second' && second === undefined) ? undefined : `no refusal: ${first.first}`;
}

describe.each<[TierName]>([['downstream'], ['upstream']])('%s', (tier) => {
  let lanes: Lane[];

  beforeAll(async () => {
    lanes = await Promise.all(Array.from({ length: LANES }, () => Lane.start(tier)));
  });
  afterAll(() => Promise.all(lanes.map((lane) => lane.close())));

  async function faultsOf(
    cases: readonly { readonly id: string; readonly expect: string; readonly text: string }[],
  ): Promise<Record<string, string>> {
    const faults: Record<string, string> = {};
    await onLanes(lanes, cases, async (lane, { id, expect: wanted, text }) => {
      const requests = Buffer.from(PIPELINE.replaceAll('__ORIGIN__', lane.authority), 'latin1');
      const outcome = await lane.tell(requests, ({ first }) => (first.includes('/one ') ? text : SECOND));
      const fault = whyWrong(wanted, outcome);
      if (fault !== undefined) faults[id] = fault;
    });
    return faults;
  }

  test(`the ${OWN_RESPONSES.length} of our own`, async () => {
    expect(await faultsOf(OWN_RESPONSES)).toEqual({});
  });

  const published = publishedMessages('response');
  test(`the ${published.length} that others have published${published.length === 0 ? ' (CHAIN407_DATA is not set)' : ''}`, async () => {
    const cases = published.map(({ id, expect: wanted, rawB64 }) => ({
      id,
      expect: NOT_REJECTED.has(id) ? 'must-not-desync' : wanted,
      text: Buffer.from(rawB64, 'base64').toString('latin1'),
    }));
    expect(await faultsOf(cases)).toEqual({});
  });
});
