import { describe, expect, test } from '@jest/globals';
import type { ClientRequestFacts } from '../src/scheme.ts';
import type { DigestAlgorithm } from '../src/schemes/digest/algorithm.ts';
import { DIGEST_ALGORITHMS } from '../src/schemes/digest/algorithm.ts';
import type { Qop } from '../src/schemes/digest/response.ts';
import { digestHa1 } from '../src/schemes/digest/response.ts';
import type { DigestVerifierPorts } from '../src/schemes/digest/verifier.ts';
import { digestVerifier } from '../src/schemes/digest/verifier.ts';
import { Secret } from '../src/secret.ts';
import type { TestUser } from './digest-parties.ts';
import {
  ALICE,
  answerTo,
  clientOf,
  concluded,
  counting,
  judged,
  MINUTE,
  NOW,
  REALM,
  REQUEST,
  resumed,
  Tier,
  withParam,
} from './digest-parties.ts';

const USERS: readonly TestUser[] = [
  ALICE,
  { username: 'CORP\\alice', password: 'quote " and \\ too' },
  { username: 'Jäsøn Doe', password: 'Secret, or not?' },
  { username: "zoe\u0308 (%'*)", password: 'pa\u0308ss' },
  { username: '日本 😀', password: '暗号' },
];

const REQUESTS: readonly ClientRequestFacts[] = [
  REQUEST,
  { method: 'CONNECT', target: 'origin.test:443', peerHost: 'proxy.test' },
  {
    method: 'POST',
    target: 'http://origin.test//a/../b?"q"',
    peerHost: 'proxy.test',
    content: async () => Buffer.from('a content'),
  },
];

const CASES = DIGEST_ALGORITHMS.flatMap((algorithm) =>
  (['auth', 'auth-int'] as const).flatMap((qop) =>
    [false, true].flatMap((userhash) => USERS.map((user) => ({ algorithm, qop, userhash, user }))),
  ),
);

interface Case {
  readonly algorithm: DigestAlgorithm;
  readonly qop: Qop;
  readonly userhash: boolean;
  readonly user: TestUser;
}

describe('the client and the verifier understand each other', () => {
  test.each<Case>(CASES)('$algorithm, $qop, userhash $userhash, $user.username', async (row) => {
    const { algorithm, qop, userhash, user } = row;
    const tier = new Tier({ algorithms: [algorithm], qop: [qop], userhash, realm: 'Büro "7"\\' }, { user });
    const client = clientOf(user);
    for (const request of REQUESTS) {
      const first = await answerTo(tier, client, request);
      const turn = await judged(tier, first, request);
      expect(turn).toMatchObject({ kind: 'accept', principal: { name: user.username } });
      expect(await concluded(client, turn, first.state, request)).toEqual({ kind: 'trusted', state: first.state });
      const second = await resumed(client, first.state, request);
      expect(second.credentials.params.get('nc')).toBe('00000002');
      expect(await judged(tier, second, request)).toMatchObject({ kind: 'accept' });
    }
  });

  test.each<Case>(CASES)(
    'not with another password: $algorithm, $qop, userhash $userhash, $user.username',
    async (row) => {
      const { algorithm, qop, userhash, user } = row;
      const tier = new Tier({ algorithms: [algorithm], qop: [qop], userhash }, { user });
      const wrong = clientOf({ ...user, password: 'wrong' });
      const sent = await answerTo(tier, wrong);
      const turn = await judged(tier, sent);
      expect(turn).toMatchObject({ kind: 'reject', user: user.username, log: 'unknown user or wrong password' });
      expect(await wrong.answer(tier.verifier.offer(), REQUEST, sent.state)).toMatchObject({ reason: 'rejected' });
    },
  );

  test('without qop, where both allow RFC 2069', async () => {
    const tier = new Tier({ algorithms: ['MD5'], qop: [], rfc2069: true });
    const client = clientOf(ALICE, { rfc2069: true });
    const first = await answerTo(tier, client);
    expect([...first.credentials.params.keys()]).toEqual([
      'username',
      'realm',
      'uri',
      'algorithm',
      'nonce',
      'response',
    ]);
    const turn = await judged(tier, first);
    expect(turn).toEqual({ kind: 'accept', principal: { name: 'alice' } });
    expect(await judged(tier, await resumed(client, first.state))).toMatchObject({ kind: 'accept' });
  });
});

describe('over time', () => {
  test('a nonce that ends is followed by the next, and the client at work never meets a stale one', async () => {
    const tier = new Tier({ nonceLifetime: 4 * MINUTE });
    const client = clientOf();
    let sent = await answerTo(tier, client);
    for (let minute = 0; minute < 20; minute += 1) {
      const turn = await judged(tier, sent);
      expect(turn.kind).toBe('accept');
      const conclusion = await concluded(client, turn, sent.state);
      if (conclusion?.kind !== 'trusted') throw new Error('not trusted');
      tier.now += 0.75 * MINUTE;
      sent = await resumed(client, conclusion.state);
    }
    expect(new Set([...tier.used].map((use) => use.split(' ')[0])).size).toBeGreaterThan(3);
  });

  test.each<DigestAlgorithm>(['SHA-256', 'SHA-256-sess'])(
    'nextnonce comes in the last quarter only: %s',
    async (algorithm) => {
      const tier = new Tier({ nonceLifetime: 4 * MINUTE, algorithms: [algorithm] });
      const client = clientOf();
      const first = await answerTo(tier, client);
      tier.now += 3 * MINUTE;
      const early = await judged(tier, first);
      expect(early).toMatchObject({ kind: 'accept' });
      expect(await concluded(client, early, first.state)).toEqual({ kind: 'trusted', state: first.state });
      tier.now += 1;
      const second = await resumed(client, first.state);
      const conclusion = await concluded(client, await judged(tier, second), second.state);
      if (conclusion?.kind !== 'trusted') throw new Error('not trusted');
      const third = await resumed(client, conclusion.state);
      expect(third.credentials.params.get('nc')).toBe('00000001');
      for (const name of ['nonce', 'cnonce'])
        expect(third.credentials.params.get(name)).not.toBe(first.credentials.params.get(name));
      tier.now += MINUTE;
      expect(await judged(tier, third)).toMatchObject({ kind: 'accept' });
    },
  );

  test('a nonce that has ended is stale for who knows the password, and the client answers at once', async () => {
    const tier = new Tier();
    const client = clientOf();
    const first = await answerTo(tier, client);
    tier.now += 5 * MINUTE;
    const turn = await judged(tier, first);
    if (turn.kind !== 'stale') throw new Error(turn.kind);
    expect(turn.challenges.map(({ params }) => params.get('stale'))).toEqual(['true', 'true']);
    expect(tier.used.size).toBe(0);
    const again = await client.answer(turn.challenges, REQUEST, first.state);
    if (again.kind !== 'send') throw new Error(again.detail);
    expect(await judged(tier, again)).toMatchObject({ kind: 'accept' });
  });

  test('a nonce that has ended is not stale for who does not', async () => {
    const tier = new Tier();
    const first = await answerTo(tier, clientOf({ ...ALICE, password: 'wrong' }));
    tier.now += 5 * MINUTE;
    const turn = await judged(tier, first);
    expect(turn).toMatchObject({ kind: 'reject', user: 'alice' });
    expect(turn).not.toHaveProperty('challenges');
  });

  test('a tier that was restarted, and a replica with the same key, know nonces and what was used of them', async () => {
    const used = new Set<string>();
    const tier = new Tier({}, { used });
    const client = clientOf();
    const first = await answerTo(tier, client);
    expect(await judged(tier, first)).toMatchObject({ kind: 'accept' });
    const replica = new Tier({}, { used, seed: 55 });
    expect(await judged(replica, first)).toMatchObject({ kind: 'stale' });
    expect(await judged(replica, await resumed(client, first.state))).toMatchObject({ kind: 'accept' });
  });

  test('a replica whose clock is behind takes a nonce of the future', async () => {
    const tier = new Tier();
    const replica = new Tier();
    replica.now -= MINUTE;
    expect(await judged(replica, await answerTo(tier))).toMatchObject({ kind: 'accept' });
  });

  test('a tier with another key asks again, without stale, and a client that resumed answers', async () => {
    const client = clientOf();
    const first = await answerTo(new Tier(), client);
    const other = new Tier({ key: Buffer.alloc(32, 1) });
    const sent = await resumed(client, first.state);
    const turn = await judged(other, sent);
    expect(turn).toEqual({ kind: 'reject', log: expect.stringContaining('nonce that was not made here') });
    expect(other.calls).toEqual([]);
    const again = await client.answer(other.verifier.offer(), REQUEST, sent.state);
    if (again.kind !== 'send') throw new Error(again.detail);
    expect(await judged(other, again)).toMatchObject({ kind: 'accept' });
  });

  test('a tier of another realm with the same key has other nonces', async () => {
    const { credentials } = await answerTo(new Tier());
    const other = new Tier({ realm: 'Another' });
    const moved = { credentials: withParam(credentials, 'realm', 'Another') };
    expect(await judged(other, moved)).toMatchObject({
      kind: 'reject',
      log: expect.stringContaining('nonce'),
    });
  });
});

describe('ports that have to ask elsewhere', () => {
  const account = {
    principal: { name: 'alice' },
    ha1: digestHa1('SHA-256', 'alice', REALM, new Secret(ALICE.password)),
  };
  const verifierWith = (ports: Pick<DigestVerifierPorts, 'findAccount' | 'useCount'>) =>
    digestVerifier(
      { realm: REALM, algorithms: ['SHA-256'], qop: ['auth'], key: Buffer.alloc(32) },
      { entropy: counting(), clock: () => NOW, ...ports },
    );

  test('are waited for', async () => {
    const counts: unknown[] = [];
    const verifier = verifierWith({
      findAccount: async () => account,
      useCount: async (...use) => counts.push(use) === 1,
    });
    const { credentials } = await answerTo({ verifier });
    expect(await judged({ verifier }, { credentials })).toMatchObject({ kind: 'accept', principal: { name: 'alice' } });
    expect(counts).toEqual([[credentials.params.get('nonce'), 1, NOW + 5 * MINUTE]]);
    expect(await judged({ verifier }, { credentials })).toMatchObject({ kind: 'stale' });
  });

  test('are not waited for where they know', async () => {
    const verifier = verifierWith({ findAccount: () => account, useCount: () => true });
    const { credentials } = await answerTo({ verifier });
    expect(verifier.judge(credentials, REQUEST, undefined)).toMatchObject({ kind: 'accept' });
  });

  test('may be out of order: that is neither yes nor no', async () => {
    const verifier = verifierWith({
      findAccount: () => ({ unavailable: 'the directory is down' }),
      useCount: () => true,
    });
    const { credentials } = await answerTo({ verifier });
    expect(verifier.judge(credentials, REQUEST, undefined)).toEqual({
      kind: 'unavailable',
      log: 'the directory is down',
    });
  });
});

describe('attacks', () => {
  // The attack: credentials are overheard and sent again.
  test('a count is used once', async () => {
    const tier = new Tier();
    const first = await answerTo(tier);
    expect(await judged(tier, first)).toMatchObject({ kind: 'accept' });
    const turn = await judged(tier, first);
    if (turn.kind !== 'stale') throw new Error(turn.kind);
    expect(turn.log).toBe('alice: the count 00000001 has been used with this nonce');
  });

  // The attack: someone without the password uses up the counts of a nonce before its owner does.
  test('a wrong response uses up no count', async () => {
    const tier = new Tier();
    const first = await answerTo(tier);
    const wrong = withParam(first.credentials, 'response', 'f'.repeat(64));
    expect(await judged(tier, { credentials: wrong })).toMatchObject({ kind: 'reject' });
    expect(tier.calls).toEqual(['account']);
    expect(await judged(tier, first)).toMatchObject({ kind: 'accept' });
  });

  // The attack: credentials are overheard, and sent with something else in the place of what they were made for.
  test.each<[string, string]>([
    ['nc', '00000002'],
    ['cnonce', 'another'],
    ['username', 'bob'],
    ['response', '0'.repeat(64)],
  ])('a changed %s is found', async (name, value) => {
    const tier = new Tier();
    const { credentials } = await answerTo(tier);
    expect(await judged(tier, { credentials: withParam(credentials, name, value) })).toMatchObject({ kind: 'reject' });
  });

  test('another method is found', async () => {
    const tier = new Tier();
    expect(await judged(tier, await answerTo(tier), { ...REQUEST, method: 'POST' })).toMatchObject({ kind: 'reject' });
  });

  test('a changed content is found by auth-int, and by it alone', async () => {
    const content = (text: string): ClientRequestFacts => ({ ...REQUEST, content: async () => Buffer.from(text) });
    for (const [qop, kind] of [
      ['auth', 'accept'],
      ['auth-int', 'reject'],
    ] as const) {
      const tier = new Tier({ qop: [qop] });
      const sent = await answerTo(tier, clientOf(), content('one'));
      expect(await judged(tier, sent, content('two'))).toMatchObject({ kind });
    }
  });

  test('a user that is not known costs the same questions, and no count', async () => {
    const tier = new Tier();
    const sent = await answerTo(tier, clientOf({ username: 'mallory', password: 'open sesame' }));
    expect(await judged(tier, sent)).toMatchObject({ kind: 'reject', user: 'mallory' });
    expect(tier.calls).toEqual(['account']);
  });

  // The attack: someone in between answers in the name of the proxy.
  test('a proxy that does not know the password is an impostor', async () => {
    const tier = new Tier();
    const client = clientOf();
    const sent = await answerTo(tier, client);
    const epilogue = (rspauth: string) => ({ info: new Map([['rspauth', rspauth]]), challenges: [] });
    const conclude = (rspauth: string) => client.conclude?.(epilogue(rspauth), REQUEST, sent.state);
    const turn = await judged(tier, sent);
    const right = turn.kind === 'accept' ? (turn.epilogue?.info.get('rspauth') ?? '') : '';
    expect(conclude(right)).toMatchObject({ kind: 'trusted' });
    expect(conclude(right.toUpperCase())).toMatchObject({ kind: 'trusted' });
    for (const wrong of ['', '0'.repeat(64), right.slice(1), `${right}0`, `\u0100${right.slice(1)}`]) {
      expect(conclude(wrong)).toMatchObject({ kind: 'impostor' });
    }
  });
});
