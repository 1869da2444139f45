import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { publishedCases } from '../../../core/test/h1-messages.ts';
import type { Role } from '../plain-tier.ts';
import { ROLES } from '../plain-tier.ts';
import { READ_BY_NODE } from './held-otherwise.ts';
import { OWN_RESPONSES } from './own-responses.ts';
import type { Asked, Then } from './send-response.ts';
import { sendResponse } from './send-response.ts';
import type { Stand } from './stand.ts';
import { startStand } from './stand.ts';
import type { Message } from './strict-reader.ts';

/**
 * Responses that are malformed or odd, through both tiers. The client gets a refusal of the tier, the response in one
 * reading, or one that shows that it was cut; and to its next request the answer that is its own. What holds for every one of
 * them is in `send-response.ts`.
 */
const published = publishedCases('response').map(({ id, expect: wanted, rule, rawB64 }) => ({
  ...{ id: `${id} (${rule})`, wanted, asked: undefined, bytes: Buffer.from(rawB64, 'base64') },
  allowed: READ_BY_NODE.get(id),
}));
const own = OWN_RESPONSES.map(({ id, expect: wanted, asked, text }) => ({
  ...{ id, wanted, asked, bytes: Buffer.from(text, 'latin1'), allowed: undefined },
}));
const CASES = [...own, ...published];

/** For the upstream CONNECT ends in a tunnel, whatever the origin says in it. */
const ASKED: { readonly [R in Role]: readonly Asked[] } = {
  downstream: ['GET', 'HEAD', 'Upgrade', 'CONNECT'],
  upstream: ['GET', 'HEAD', 'Upgrade'],
};

/** It asks for credentials that these tiers have none of, and that an origin may not ask for (RFC 9110 §15.5.8). */
const asks = ({ start: [, status] }: Message): boolean => status === '407';

describe.each(ROLES)('through the %s', (tier) => {
  let stand: Stand;

  beforeAll(async () => {
    stand = await startStand(tier);
  });
  afterAll(() => stand.stop());

  describe.each<[Then, string]>([
    ['ends', 'ends its connection'],
    ['stays', 'leaves its connection open'],
  ])('from a next hop that %s', (then) => {
    describe.each(ASKED[tier].map((asked) => [asked]))('to %s', (asked) => {
      const rows = CASES.filter((row) => row.asked === undefined || row.asked.includes(asked));
      test.each(rows)('$id: $wanted', async ({ bytes, wanted, asked: only, allowed }) => {
        const { kind, wanted: written } = await sendResponse(stand, asked, bytes, then);
        if (wanted === 'must-not-desync' && written !== undefined && !asks(written)) expect(kind).toBe('whole');
        // Where a rule is of the content, a response without content does not break it.
        const holds = only === undefined ? asked === 'GET' : true;
        if (wanted !== 'must-reject' || !holds) return;
        if (tier === 'upstream' && allowed !== undefined) expect(kind).toBe('whole');
        else expect(kind).not.toBe('whole');
      });
    });
  });
});
