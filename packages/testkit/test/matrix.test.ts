import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { Chain } from '../src/index.ts';
import { negotiationOf, startChain } from '../src/index.ts';
import type { Cell } from './matrix/cells.ts';
import { CELLS, expectedLegs, expectedStatus, nameOf } from './matrix/cells.ts';
import { CLIENT_PASSWORD, drive, OWN_PASSWORD, SENT_BODY } from './matrix/drive.ts';
import { goldenTranscript } from './matrix/transcript.ts';

/**
 * Every cell of {client} × {identity} × {request} × {upstream} on our own two tiers. `matrix/golden.txt` holds what was
 * said on every hop; `GOLDEN=write` writes it anew, for a person to read the difference.
 */
const GOLDEN = new URL('./matrix/golden.txt', import.meta.url);
const writing = process.env.GOLDEN === 'write';
const golden = new Map(
  (writing ? '' : readFileSync(GOLDEN, 'utf8'))
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => [block.split('\n', 1)[0] ?? '', block.trimEnd()]),
);
const written: string[] = [];

function chainFor(cell: Cell): Promise<Chain> {
  return startChain({
    upstream: {
      auth: cell.upstream === 'anonymous' ? { anonymous: true } : { schemes: ['basic'] },
      users: [
        { name: 'client', password: { value: CLIENT_PASSWORD }, groups: ['staff'] },
        { name: 'own', password: { value: OWN_PASSWORD }, groups: ['staff'] },
      ],
      access: cell.upstream === 'not permitted' ? [{ deny: { groups: ['staff'] } }] : [{ allow: {} }],
      ports: { connect: [80] },
    },
    downstream: {
      identity: cell.identity,
      credentials: { own: { username: 'own', password: { value: OWN_PASSWORD }, schemes: ['basic'] } },
    },
  });
}

describe('the chain of the article, in every combination', () => {
  test.each(CELLS.map((cell) => [nameOf(cell), cell] as const))('%s', async (name, cell) => {
    const chain = await chainFor(cell);
    try {
      const { response, through, after } = await drive(chain, cell);
      const status = expectedStatus(cell);
      // The request that checks the connection afterwards is not part of the transcript.
      const first = chain.legs().filter((leg) => after === undefined || leg.exchange === exchangeOf(chain, leg.by));
      expect(response.status).toBe(status);
      expect(negotiationOf(first)).toEqual(expectedLegs(cell));
      if (status === 407) expect(response.headers.map((text) => text.toLowerCase())).toContain('proxy-authenticate');
      if (cell.request === 'CONNECT' && status === 200) expect(through).toBe('200 /through');
      if (status === 101) expect(through).toBe('ping');
      if (cell.request === 'POST' && status === 200) {
        expect(chain.origin.requests.map(({ bodyLength }) => bodyLength)).toContain(SENT_BODY.length);
      }
      if (after !== undefined) expect(after).toBe(expectedStatus({ ...cell, request: 'GET' }));
      const transcript = goldenTranscript(name, first);
      if (writing) written.push(transcript);
      else expect(transcript).toBe(golden.get(name));
    } finally {
      await chain.close();
    }
  });

  test('the golden file has a transcript for each cell and no other', () => {
    if (writing) writeFileSync(GOLDEN, `${written.join('\n\n')}\n`);
    expect([...(writing ? written.map((block) => block.split('\n', 1)[0]) : golden.keys())].sort()).toEqual(
      CELLS.map(nameOf).sort(),
    );
  });
});

/** The first exchange that an instance took part in. */
function exchangeOf(chain: Chain, by: string): string | undefined {
  return chain
    .legs()
    .filter((leg) => leg.by === by)
    .toSorted((a, b) => a.at - b.at)[0]?.exchange;
}
