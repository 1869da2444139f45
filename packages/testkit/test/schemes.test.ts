import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { Chain } from '../src/index.ts';
import { negotiationOf, startChain } from '../src/index.ts';
import { expectedEnd, expectedNegotiation, nameOfScheme, SCHEME_CELLS } from './matrix/scheme-cells.ts';
import { configOf, SECRETS } from './matrix/scheme-chain.ts';
import { BODY, clientOf, converse } from './matrix/scheme-client.ts';

describe('the chain of the article, by every scheme', () => {
  test.each(SCHEME_CELLS.map((cell) => [nameOfScheme(cell), cell] as const))('%s', async (_name, cell) => {
    const chain: Chain = await startChain(configOf(cell));
    try {
      const secret = cell.identity === 'relay' && cell.account === 'wrong' ? SECRETS.wrong : SECRETS.client;
      const ended = await converse(chain.downstream.port, cell, clientOf(cell, 'client', secret));
      const status = expectedEnd(cell);
      expect(ended).toEqual({
        status,
        through: cell.request === 'CONNECT' && status === 200 ? '200 /through' : undefined,
      });
      expect(negotiationOf(chain.legs())).toEqual(expectedNegotiation(cell));
      if (cell.request === 'POST' && status === 200) {
        const digest = createHash('sha256').update(BODY).digest('hex');
        expect(chain.origin.requests.at(-1)).toMatchObject({ bodyLength: BODY.length, bodySha256: digest });
      }
    } finally {
      await chain.close();
    }
  });
});
