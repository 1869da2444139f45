import type { RawResponse, ScriptedUpstreamOptions } from '@chain407/testkit';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { IdentityMode, RejectedPolicy } from '../src/identity.ts';
import type { RunOptions } from './support.ts';
import {
  basic,
  cleanUp,
  client,
  closeLater,
  eventually,
  fieldOf,
  GOOD,
  get,
  onlyGood,
  post,
  request,
  run,
  scripted,
} from './support.ts';

afterEach(cleanUp);

const WRONG = basic('alice:wrong');
const COOLDOWN = 60_000;

/** A downstream whose own password is wrong, and a clock. */
async function wrong(options: RunOptions = {}, upstreamOptions: ScriptedUpstreamOptions = {}) {
  const clock = { now: 1_000_000 };
  const upstream = await scripted({ accept: onlyGood, ...upstreamOptions });
  const downstream = await run({
    upstreams: [upstream.port],
    password: 'wrong',
    cooldown: COOLDOWN,
    now: () => clock.now,
    ...options,
  });
  const attempts = () => upstream.requests.filter(({ credentials }) => credentials === WRONG).length;
  const warnings = () =>
    downstream.lines.filter(({ level, credential }) => level === 40 && credential === 'corp').length;
  return { upstream, downstream, clock, attempts, warnings, connection: await client(downstream.port) };
}

const WAYS = [
  ['GET', (...fields: string[]) => get('http://origin.test/', ...fields), 200],
  ['CONNECT', (...fields: string[]) => request('CONNECT', 'origin.test:443', ...fields), 200],
  [
    'Upgrade',
    (...fields: string[]) => get('http://origin.test/', 'Connection: Upgrade', 'Upgrade: echo', ...fields),
    101,
  ],
] as const;

/** `own`: a page of ours whose challenge says that no answer helps. `upstream`: what the upstream has said. */
const challengeOf = (answer: RawResponse): string => {
  const challenge = fieldOf(answer, 'proxy-authenticate');
  if (challenge === undefined) return 'none';
  return challenge.includes('Chain407 downstream')
    ? 'own'
    : challenge === 'Basic realm="scripted"'
      ? 'upstream'
      : challenge;
};

describe.each(WAYS)('wrong credentials of ours, %s', (_method, message, granted) => {
  test.each<
    [
      rejected: RejectedPolicy,
      identity: IdentityMode,
      status: number,
      challenge: string,
      page: string,
      retryAfter: boolean,
    ]
  >([
    // The upstream's challenge is for those whose answer would reach it.
    ['407', 'substitute', 407, 'own', 'Remedy:', true],
    ['407', 'relay-else-substitute', 407, 'upstream', 'Remedy:', true],
    ['502', 'substitute', 502, 'none', 'Remedy:', true],
    ['502', 'relay-else-substitute', 502, 'none', 'Remedy:', true],
    ['ask', 'substitute', 407, 'upstream', 'The scripted upstream asks', false],
    ['ask', 'relay-else-substitute', 407, 'upstream', 'The scripted upstream asks', false],
  ])('rejected: %s, identity: %s', async (rejected, identity, status, challenge, page, retryAfter) => {
    const { connection, attempts, warnings, downstream } = await wrong({ rejected, identity });
    for (const turn of ['at the rejection', 'while they are held back']) {
      const answer = await connection.exchange(message());
      expect([turn, answer.status, challengeOf(answer)]).toEqual([turn, status, challenge]);
      expect(answer.body.toString()).toContain(page);
      expect(fieldOf(answer, 'retry-after')).toBe(retryAfter ? '60' : undefined);
    }
    expect(attempts()).toBe(1);
    expect(warnings()).toBe(1);
    expect(JSON.stringify(downstream.lines)).not.toContain('wrong');
  });

  test.each<[rejected: RejectedPolicy, identity: IdentityMode]>([
    ['407', 'relay-else-substitute'],
    ['502', 'relay-else-substitute'],
    ['ask', 'substitute'],
    ['ask', 'relay-else-substitute'],
  ])("rejected: %s, identity: %s: the client's own credentials then go through", async (rejected, identity) => {
    const { connection, upstream } = await wrong({ rejected, identity });
    await connection.exchange(message());
    expect((await connection.exchange(message(`Proxy-Authorization: ${GOOD}`))).status).toBe(granted);
    expect(upstream.requests.at(-1)?.credentials).toBe(GOOD);
  });

  test.each<[rejected: RejectedPolicy]>([['407'], ['502']])(
    "rejected: %s, identity: substitute: the client's own credentials go nowhere",
    async (rejected) => {
      const { connection, upstream } = await wrong({ rejected });
      await connection.exchange(message());
      const before = upstream.requests.length;
      expect((await connection.exchange(message(`Proxy-Authorization: ${GOOD}`))).status).toBe(Number(rejected));
      expect(upstream.requests).toHaveLength(before);
    },
  );

  test.each<[rejected: RejectedPolicy]>([['407'], ['502'], ['ask']])(
    'rejected: %s: of two hundred at once, one attempt reaches the upstream',
    async (rejected) => {
      const { downstream, attempts, warnings } = await wrong({ rejected });
      const clients = await Promise.all(Array.from({ length: 200 }, () => client(downstream.port)));
      const statuses = await Promise.all(clients.map(async (each) => (await each.exchange(message())).status));
      expect(new Set(statuses)).toEqual(new Set([rejected === '502' ? 502 : 407]));
      expect(attempts()).toBe(1);
      expect(warnings()).toBe(1);
    },
  );

  test('after the cool-down they are tried once more', async () => {
    const { connection, clock, attempts, warnings } = await wrong();
    await connection.exchange(message());
    clock.now += COOLDOWN - 1;
    expect(fieldOf(await connection.exchange(message()), 'retry-after')).toBe('1');
    expect(attempts()).toBe(1);
    clock.now += 1;
    expect((await connection.exchange(message())).status).toBe(407);
    expect(attempts()).toBe(2);
    expect(warnings()).toBe(2);
  });

  test('after the cool-down they may have become good', async () => {
    let password = GOOD;
    const { connection, clock } = await wrong(
      {},
      { accept: (credentials) => (credentials === password ? 'accept' : 'reject') },
    );
    await connection.exchange(message());
    password = WRONG;
    clock.now += COOLDOWN;
    expect((await connection.exchange(message())).status).toBe(granted);
  });
});

test('attempts as configured are made, one after the other', async () => {
  const { downstream, attempts } = await wrong({ attempts: 3 });
  const clients = await Promise.all(Array.from({ length: 20 }, () => client(downstream.port)));
  await Promise.all(clients.map((each) => each.exchange(get())));
  expect(attempts()).toBe(3);
});

test('credentials that were good and are so no longer are tried once, on all upstreams together', async () => {
  let password = WRONG;
  const accept: ScriptedUpstreamOptions['accept'] = (credentials) => (credentials === password ? 'accept' : 'reject');
  const { connection, attempts, upstream } = await wrong({}, { accept });
  expect((await connection.exchange(get())).status).toBe(200);
  password = GOOD;
  expect((await connection.exchange(get())).status).toBe(407);
  expect((await connection.exchange(get())).status).toBe(407);
  expect(attempts()).toBe(2);
  expect(upstream.requests).toHaveLength(3);
});

describe('no rejection', () => {
  test.each<[what: string, options: ScriptedUpstreamOptions, status: number, details: string]>([
    ['a 403', { accept: (credentials) => (credentials === undefined ? 'reject' : { status: 403 }) }, 403, ''],
    [
      'a 407 of our own upstream, which knows the account but does not let it',
      {
        accept: (credentials) =>
          credentials === undefined
            ? 'reject'
            : {
                status: 407,
                headers: [
                  ['Proxy-Authenticate', 'Basic realm="scripted"'],
                  ['Proxy-Status', 'chain407-upstream; error=http_request_denied; details="not permitted: rule 1"'],
                ],
              },
      },
      407,
      'not permitted: up1 knows',
    ],
    [
      'a connection that breaks off',
      { faults: ({ credentials }) => (credentials === undefined ? {} : { cut: { at: 'request' } }) },
      502,
      'connection_terminated',
    ],
  ])('%s does not close the guard', async (_what, options, status, details) => {
    const { connection, warnings, downstream } = await wrong({}, options);
    for (let i = 0; i < 2; i += 1) {
      const answer = await connection.exchange(get());
      expect(answer.status).toBe(status);
      expect(fieldOf(answer, 'proxy-status') ?? '').toContain(details);
    }
    expect(warnings()).toBe(0);
    expect(downstream.credential?.guard.closed()).toBeUndefined();
  });
});

describe("the upstream's page, where the client is asked in our place", () => {
  test.each<[what: string, options: ScriptedUpstreamOptions, message: string]>([
    ['to a large body, which was asked about by HEAD', {}, post('x'.repeat(100_000))],
    ['that has no end', { faults: { framing407: 'endless' } }, get()],
    ['that is too large to keep', { page: 'x'.repeat(100_000) }, get()],
    ['in chunks', { faults: { framing407: 'chunked' } }, get()],
    ['that ends by closing', { faults: { framing407: 'close' } }, get()],
    ['that is empty', { faults: { framing407: 'empty' } }, get()],
    ['to HEAD', {}, request('HEAD', 'http://origin.test/')],
  ])('%s comes framed as it is: the next answer is right', async (_what, options, message) => {
    const { connection } = await wrong({ rejected: 'ask' }, options);
    const answer = await connection.exchange(message);
    expect([answer.status, challengeOf(answer)]).toEqual([407, 'upstream']);
    const next = await connection.exchange(get('http://origin.test/', `Proxy-Authorization: ${GOOD}`));
    expect(next.status).toBe(200);
  });
});

test('a client that waits for the attempt of another and goes leaves the others waiting', async () => {
  let decide = (): void => undefined;
  const decided = new Promise<void>((resolve) => {
    decide = resolve;
  });
  const { downstream, upstream, attempts } = await wrong(
    {},
    {
      faults: ({ credentials }) => (credentials === undefined ? {} : { hold: { at: 'request', until: () => decided } }),
    },
  );
  closeLater(() => decide());
  const clients = await Promise.all(Array.from({ length: 10 }, () => client(downstream.port)));
  const answers = clients.map((each, i) => (i === 0 ? each.exchange(get()) : undefined));
  await eventually(() => attempts() === 1);
  const waiting = clients.slice(1).map((each) => each.exchange(get()));
  waiting.forEach((each) => void each.catch(() => undefined));
  await eventually(() => upstream.requests.length === 11);
  for (const each of clients.slice(1, 6)) each.destroy();
  await eventually(() => downstream.connections === 6);
  decide();
  expect((await answers[0])?.status).toBe(407);
  for (const each of waiting.slice(5)) expect((await each).status).toBe(407);
  expect(attempts()).toBe(1);
});
