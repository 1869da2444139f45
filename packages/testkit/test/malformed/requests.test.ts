import type { ServerOptions } from 'node:http';
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { dataIsMissed } from '../../../auth/test/published-file.ts';
import { publishedCases } from '../../../core/test/h1-messages.ts';
import { ROLES } from '../plain-tier.ts';
import { NOT_REJECTED, NOT_TAKEN } from './held-otherwise.ts';
import { OWN_REQUESTS } from './own-requests.ts';
import type { Cut } from './raw-side.ts';
import type { Sent } from './send-requests.ts';
import { sendRequests } from './send-requests.ts';
import type { Stand } from './stand.ts';
import { startStand } from './stand.ts';

/**
 * Requests that are malformed or odd, against both tiers. The verdict is taken at the next hop's socket: refused, or
 * forwarded so that there is one reading of it. What holds for every one of them is in `send-requests.ts`.
 */
const own = (wanted: string) => OWN_REQUESTS.filter((row) => row.expect === wanted);
const published = publishedCases('request');
const asServer = published.map(({ id, expect: wanted, rule, rawB64 }) => ({ id, wanted, rule, base64: rawB64 }));
const asProxy = published.flatMap(({ id, expect: wanted, rule, proxyRawB64: base64 }) => {
  if (base64 === undefined || base64 === null) return [];
  const fine = NOT_REJECTED.get(id);
  return [{ id, base64, ...(fine === undefined ? { wanted, rule } : { wanted: 'may-accept', rule: fine }) }];
});

/** Nothing of it went on whole, but for what is right and came before the fault; and the client was told so. */
function expectRefused({ asked, passed, answers }: Sent): void {
  expect(passed.length).toBeLessThanOrEqual(asked.end === 'clean' ? 0 : asked.messages.length);
  expect(answers).toHaveLength(passed.length + 1);
  expect(answers.at(-1)?.start[1]).toMatch(/^[45]/);
}

/** Everything that is right by the letter went on whole. */
function expectPassed({ due, passed }: Sent): void {
  expect(passed.length).toBeGreaterThanOrEqual(due);
}

/** A Node that ignores offers by itself (24.9 and later) loses what comes in one packet with the end of their bodies. */
const LOSES_WHAT_FOLLOWS =
  'shouldUpgradeCallback' in createServer({ shouldUpgradeCallback: () => false } as ServerOptions);
const isOfferWithBody = (text: string): boolean => /^POST [\s\S]*?^Upgrade:/m.test(text);

test('published requests are there, or it is meant that they are not', () => {
  expect(published.length === 0 && dataIsMissed()).toBe(false);
  const ids = new Set(published.map(({ id }) => id));
  expect(published.length > 0 && [...NOT_REJECTED.keys(), ...NOT_TAKEN.keys()].filter((id) => !ids.has(id))).toEqual(
    published.length > 0 ? [] : false,
  );
});

describe.each(ROLES)('the %s', (tier) => {
  let stand: Stand;
  const send = (text: string, cut: Cut = 'whole'): Promise<Sent> =>
    sendRequests(stand, Buffer.from(text.replaceAll('__ORIGIN__', stand.hop.authority), 'latin1'), cut);
  const decoded = (base64: string): string => Buffer.from(base64, 'base64').toString('latin1');

  beforeAll(async () => {
    stand = await startStand(tier);
  });
  afterAll(() => stand.stop());

  describe('refuses a request of our own', () => {
    test.each(own('must-reject'))('$id', async ({ text }) => expectRefused(await send(text)));
  });

  describe('takes in one reading, if it does, a request of our own', () => {
    test.each(own('must-not-desync'))('$id', async ({ text }) => {
      const cut = LOSES_WHAT_FOLLOWS && isOfferWithBody(text) ? 'bytes' : 'whole';
      expectPassed(await send(text, cut));
    });
  });

  describe('reads in the same way what comes byte by byte:', () => {
    const short = OWN_REQUESTS.filter(({ text }) => text.length < 1000);
    test.each(short)('$id', async ({ text, expect: wanted }) => {
      const sent = await send(text, 'bytes');
      if (wanted === 'must-reject') expectRefused(sent);
      else expectPassed(sent);
    });
  });

  // Most are in origin-form, which no proxy takes.
  if (asServer.length > 0)
    describe('reads a published request as a server gets it', () => {
      test.each(asServer)('$id: $wanted ($rule)', async ({ wanted, base64 }) => {
        const sent = await send(decoded(base64));
        if (wanted === 'must-reject') expectRefused(sent);
      });
    });

  if (asProxy.length > 0)
    describe('reads a published request as a proxy gets it', () => {
      test.each(asProxy)('$id: $wanted ($rule)', async ({ id, wanted, base64 }) => {
        const sent = await send(decoded(base64));
        if (wanted === 'must-reject') expectRefused(sent);
        else if (NOT_TAKEN.has(id)) expect(sent.passed).toEqual([]);
        else expectPassed(sent);
      });
    });
});
