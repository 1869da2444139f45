import type { Origin } from '@chain407/testkit';
import { startOrigin } from '@chain407/testkit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ALICE, accountOf, BOB, SECRETS, WRONG } from './accounts.ts';
import type { Chain } from './chain.ts';
import { startChain407 } from './chain.ts';
import { BODY_LENGTH, EXCHANGES, exchange } from './exchange.ts';
import { describeWith } from './peers.ts';
import { startSquid } from './squid.ts';

interface Row {
  /** What Squid is told to send to its parent. */
  readonly login: string;
  readonly client: string | undefined;
  readonly status: number;
}

const ROWS: readonly Row[] = [
  { login: ALICE, client: undefined, status: 200 },
  { login: WRONG, client: undefined, status: 407 },
  { login: 'PASS', client: undefined, status: 407 },
  { login: 'PASS', client: BOB, status: 200 },
  { login: 'PASS', client: WRONG, status: 407 },
];

describeWith(['squid'], 'Squid with a cache_peer login in front of our upstream', () => {
  let origin: Origin;
  let upstream: Chain;
  beforeAll(async () => {
    origin = await startOrigin();
    const users = [ALICE, BOB].map(accountOf).map(({ name, password }) => ({ name, password: { value: password } }));
    upstream = await startChain407('upstream', {
      upstream: {
        listen: '127.0.0.1:0',
        realm: 'ours',
        auth: { schemes: ['basic'] },
        users,
        access: [{ allow: { users: ['alice', 'bob'] } }],
        ports: { connect: [443], any: [80, 443] },
        hosts: { 'origin.test': `127.0.0.1:${origin.port}` },
      },
    });
  });
  afterAll(async () => {
    const { status, output } = await upstream.stop();
    await origin.close();
    expect(status).toBe(0);
    for (const secret of SECRETS) expect(output).not.toContain(secret);
  });

  test.each(ROWS)('login=$login, client sends $client: $status', async ({ login, client, status }) => {
    await using squid = await startSquid({ parent: { port: upstream.port, login } });
    // Squid refuses without reading the body, then resets the connection: a long one would lose the client its answer.
    const bodyLength = status === 200 ? BODY_LENGTH : 10_000;
    for (const kind of EXCHANGES) {
      const target = `origin.test:${kind === 'CONNECT' ? 443 : 80}`;
      const passage = { proxyPort: squid.port, origin: target, user: client, bodyLength, bodyLost: true };
      const answer = await exchange(kind, passage);
      expect({ kind, status: answer.status }).toEqual({ kind, status });
      if (status !== 200) expect(answer.echo).toBeUndefined();
      else expect(answer.echo?.bodyLength).toBe(kind === 'POST' ? BODY_LENGTH : 0);
    }
  });
});
