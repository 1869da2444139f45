import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { parseChallenges } from '../src/grammar.ts';
import type { Challenge } from '../src/message.ts';
import { choose } from '../src/schemes/digest/choice.ts';
import { digestClient } from '../src/schemes/digest/client.ts';
import { Secret } from '../src/secret.ts';
import { describePublished } from './published.ts';

/** What a Digest client is to make of challenges, under one of these names. */
interface ChallengeRow {
  readonly id: string;
  readonly header: string | readonly string[];
  readonly expect: {
    readonly digest?: ChallengeFields & { readonly reject?: true; readonly why?: string };
    readonly secondChallenge?: string;
    readonly choose?: string;
  };
}

interface ChallengeFields {
  readonly realm?: string;
  readonly nonce?: string;
  readonly opaque?: string;
  readonly algorithm?: string;
  /** The one that is chosen. */
  readonly qop?: string | null;
  readonly domain?: string;
  readonly note?: string;
}

/** The challenges of Digest: a client half gets no others. */
function challengesOf(header: string | readonly string[]): Challenge[] {
  const { challenges, faults } = parseChallenges([header].flat());
  expect(faults).toEqual([]);
  return challenges.filter(({ scheme }) => scheme === 'digest');
}

/** The published reason for a refusal, as we say it. */
const REFUSALS = new Map([
  ['no nonce', 'a challenge without nonce'],
  ['unknown algorithm', 'unknown algorithm "awezum"'],
  ['not Digest', ''],
]);

/** Where we do not do what the row says. */
const DEVIATIONS = [
  { id: 'chromium-digest-3', reason: 'a realm must be there (RFC 7616 §3.3)', instead: 'a challenge without realm' },
  { id: 'chromium-digest-13', reason: 'auth-int is spoken here', instead: { qop: 'auth-int' } },
];

function expectChoice(header: ChallengeRow['header'], expected: ChallengeFields | string | undefined): void {
  const chosen = choose(challengesOf(header), true);
  if (typeof expected !== 'object') {
    expect(chosen).toMatchObject({ ok: false, why: expected });
    return;
  }
  if (!chosen.ok) throw new Error(chosen.why);
  const { challenge, qop = null } = chosen.choice;
  // In a challenge of a proxy `domain` has no meaning (RFC 7616 §3.3).
  const { domain: _domain, note: _note, ...fields } = expected;
  expect({ ...challenge, qop }).toMatchObject({ algorithm: 'MD5', qop: null, ...fields });
}

/** What our client does with a 407 for its answer to another challenge. */
async function secondTurn(header: ChallengeRow['header']): Promise<string> {
  const account = { username: 'Mufasa', password: new Secret('Circle of Life') };
  const client = digestClient(account, { rfc2069: true }, { entropy: randomBytes });
  const request = { method: 'GET', target: '/', peerHost: 'proxy.test' };
  const first = await client.answer(challengesOf('Digest realm="Oblivion", nonce="first"'), request, undefined);
  if (first.kind !== 'send') throw new Error(first.detail);
  const second = await client.answer(challengesOf(header), request, first.state);
  return second.kind === 'send' ? 'sent' : second.reason;
}

describePublished(
  'challenges of Digest',
  ({ challengeParsing }: { readonly challengeParsing: readonly ChallengeRow[] }) => {
    const rows = challengeParsing.flatMap(({ id, header, expect: { digest: expected } }) =>
      expected === undefined ? [] : [{ id, header, expected }],
    );

    test.each(rows.filter((row) => !DEVIATIONS.some(({ id }) => id === row.id)))('$id', ({ header, expected }) => {
      const { reject, why = '', ...fields } = expected;
      expectChoice(header, reject ? REFUSALS.get(why) : fields);
    });

    test.each(DEVIATIONS)('$id is not read as published: $reason', ({ id, instead }) => {
      const row = rows.find((published) => published.id === id);
      if (row === undefined) throw new Error('no such row');
      expect(() => expectChoice(row.header, row.expected)).toThrow();
      expectChoice(row.header, typeof instead === 'string' ? instead : { ...row.expected, ...instead });
    });

    test.each(challengeParsing.filter(({ expect: { secondChallenge } }) => secondChallenge !== undefined))(
      '$id: $expect.secondChallenge',
      async ({ header, expect: { secondChallenge = '' } }) => {
        expect(await secondTurn(header)).toBe(secondChallenge.startsWith('stale') ? 'sent' : 'rejected');
      },
    );

    test.each(challengeParsing.filter(({ expect: { choose } }) => choose !== undefined))(
      '$id: $expect.choose',
      ({ header, expect: { choose: expected = '' } }) => {
        const chosen = choose(challengesOf(header), false);
        expect(chosen.ok && chosen.choice.challenge.algorithm).toBe(expected.split(' ')[0]);
      },
    );
  },
);
