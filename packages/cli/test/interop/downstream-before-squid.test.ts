import type { Origin } from '@chain407/testkit';
import { startOrigin } from '@chain407/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ALICE, accountOf, BOB, basic, SECRETS, WRONG } from './accounts.ts';
import type { Chain } from './chain.ts';
import { startChain407 } from './chain.ts';
import { BODY_LENGTH, EXCHANGES, exchange } from './exchange.ts';
import { describeWith } from './peers.ts';
import type { Squid } from './squid.ts';
import { startSquid } from './squid.ts';

const startDownstream = (squid: Squid, identity: string, ours: string): Promise<Chain> => {
  const { name, password } = accountOf(ours);
  return startChain407('downstream', {
    downstream: {
      listen: '127.0.0.1:0',
      identity,
      credentials: { corp: { username: name, password: { value: password }, schemes: ['basic'] } },
      upstreams: { 'corporate-squid': { url: squid.url, credentials: 'corp' } },
    },
  });
};

interface Row {
  readonly identity: string;
  /** What the client sends of its own. */
  readonly client: string | undefined;
  readonly status: number;
  /** Whose credentials Squid judged at last. */
  readonly judged: string | undefined;
}

const ROWS: readonly Row[] = [
  { identity: 'substitute', client: undefined, status: 200, judged: ALICE },
  { identity: 'substitute', client: BOB, status: 200, judged: ALICE },
  { identity: 'substitute', client: WRONG, status: 200, judged: ALICE },
  { identity: 'relay', client: undefined, status: 407, judged: undefined },
  { identity: 'relay', client: BOB, status: 200, judged: BOB },
  { identity: 'relay', client: WRONG, status: 407, judged: WRONG },
  { identity: 'relay-else-substitute', client: undefined, status: 200, judged: ALICE },
  { identity: 'relay-else-substitute', client: BOB, status: 200, judged: BOB },
  { identity: 'relay-else-substitute', client: WRONG, status: 407, judged: WRONG },
];

describeWith(['squid', 'apache2-utils'], 'our downstream in front of Squid with basic_ncsa_auth', () => {
  let origin: Origin;
  beforeAll(async () => {
    origin = await startOrigin();
  });
  afterAll(() => origin.close());

  test.each(ROWS)('identity $identity, client sends $client: $status, Squid judged $judged', async (row) => {
    await using squid = await startSquid({ users: [ALICE, BOB] });
    await using downstream = await startDownstream(squid, row.identity, ALICE);
    for (const kind of EXCHANGES) {
      const passage = { proxyPort: downstream.port, origin: `127.0.0.1:${origin.port}`, user: row.client };
      const { status, challenges, echo } = await exchange(kind, passage);
      expect({ kind, status }).toEqual({ kind, status: row.status });
      expect(challenges).toEqual(row.status === 407 ? [expect.stringMatching(/^Basic realm="Squid"/)] : []);
      if (row.status !== 200) continue;
      expect(echo?.bodyLength).toBe(kind === 'POST' ? BODY_LENGTH : 0);
      expect(echo?.headers.map(([name]) => name.toLowerCase())).not.toContain('proxy-authorization');
    }
    const { status, output } = await downstream.stop();
    expect(status).toBe(0);
    for (const secret of SECRETS) expect(output).not.toContain(secret);

    const log = await squid.stop();
    const last = log.filter((attempt) => attempt.status === row.status || row.status === 200).at(-1);
    expect(last?.credentials).toBe(row.judged === undefined ? undefined : basic(row.judged));
    // Known good credentials are sent at once: one 407 in all, not one per exchange.
    if (row.status === 200) expect(log.filter(({ status }) => status === 407).length).toBeLessThanOrEqual(1);
  });

  // Squid 5.7 answers 407 before it has read a body, says keep-alive, and reads nothing more once the body exceeds 64 KiB.
  test.each([1_000, 100_000, 200_000, BODY_LENGTH])(
    'the first request is a POST of %i bytes: 200',
    async (bodyLength) => {
      await using squid = await startSquid({ users: [ALICE] });
      await using downstream = await startDownstream(squid, 'substitute', ALICE);
      const passage = { proxyPort: downstream.port, origin: `127.0.0.1:${origin.port}`, bodyLength };
      const { status, echo } = await exchange('POST', passage);
      expect(status).toBe(200);
      expect(echo?.bodyLength).toBe(bodyLength);
    },
  );

  test.each(EXCHANGES)(
    'wrong credentials of ours, %s: one attempt in all, and a page that names Squid',
    async (kind) => {
      await using squid = await startSquid({ users: [ALICE] });
      await using downstream = await startDownstream(squid, 'substitute', 'alice:wrong');
      const passage = { proxyPort: downstream.port, origin: `127.0.0.1:${origin.port}` };
      const answers = [await exchange(kind, passage), await exchange(kind, passage), await exchange('GET', passage)];
      for (const { status, page, challenges, echo } of answers) {
        expect(status).toBe(407);
        expect(page).toContain('corporate-squid');
        expect(challenges).toHaveLength(1);
        expect(echo).toBeUndefined();
      }
      const { output } = await downstream.stop();
      expect(output).not.toContain(basic('alice:wrong').slice('Basic '.length));
      const complete = (await squid.stop()).filter(({ credentials }) => credentials !== undefined);
      expect(complete).toEqual([expect.objectContaining({ status: 407, method: kind })]);
    },
  );
});
