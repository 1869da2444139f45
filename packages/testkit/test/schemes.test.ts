import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import type { Chain, ChainConfig } from '../src/index.ts';
import { negotiationOf, startChain } from '../src/index.ts';
import type { SchemeCell } from './matrix/scheme-cells.ts';
import { expectedEnd, expectedNegotiation, nameOfScheme, SCHEME_CELLS } from './matrix/scheme-cells.ts';
import { BODY, clientOf, converse } from './matrix/scheme-client.ts';

/** A password, or a token. */
const SECRETS = { client: 'right-horse-of-the-client', own: 'own-battery-staple', wrong: 'wrong-horse' } as const;
const HELPER = fileURLToPath(new URL('./matrix/negotiate-helper.mjs', import.meta.url));

const withSecret = (cell: SchemeCell, text: string) =>
  cell.scheme === 'bearer' ? { token: { value: text } } : { password: { value: text } };

function configOf(cell: SchemeCell): ChainConfig {
  const { scheme, identity, account } = cell;
  const helper = [process.execPath, HELPER, `client=${SECRETS.client}`, `own=${SECRETS.own}`];
  const own = account === 'wrong' ? SECRETS.wrong : SECRETS.own;
  return {
    upstream: {
      auth: { schemes: [scheme], ...(scheme === 'negotiate' ? { helpers: { negotiate: helper } } : {}) },
      users: [
        { name: 'client', ...withSecret(cell, SECRETS.client) },
        { name: 'own', ...withSecret(cell, SECRETS.own) },
      ],
      access: account === 'not permitted' ? [{ deny: { users: ['own', 'client'] } }] : [{ allow: {} }],
      ports: { connect: [80] },
    },
    downstream: {
      identity,
      credentials: {
        own: { ...(scheme === 'bearer' ? {} : { username: 'own' }), ...withSecret(cell, own), schemes: [scheme] },
      },
    },
  };
}

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
