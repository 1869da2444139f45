import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AuthError } from '../src/errors.ts';
import { formatMessage, parseCredentials } from '../src/grammar.ts';
import type { ClientRequestFacts } from '../src/scheme.ts';
import { DIGEST_ALGORITHMS, hexLength } from '../src/schemes/digest/algorithm.ts';
import type { DigestChallenge } from '../src/schemes/digest/challenge.ts';
import { encodeChallenge, readChallenge } from '../src/schemes/digest/challenge.ts';
import type { DigestCredentials } from '../src/schemes/digest/credentials.ts';
import { encodeCredentials, readCredentials } from '../src/schemes/digest/credentials.ts';
import { describeDigest } from '../src/schemes/digest/describe.ts';
import { nameParams } from '../src/schemes/digest/name.ts';
import { nonceMint } from '../src/schemes/digest/nonce.ts';
import type { DigestVerifierOptions } from '../src/schemes/digest/verifier.ts';
import { Secret } from '../src/secret.ts';
import {
  ALICE,
  acrossChallenges,
  acrossCredentials,
  answerTo,
  clientOf,
  counting,
  judged,
  NOW,
  REQUEST,
  Tier,
  withParam,
} from './digest-parties.ts';

describe('challenges', () => {
  test('are one per algorithm, in order, all with one nonce, tokens without quotes', () => {
    const lines = new Tier({ qop: ['auth', 'auth-int'], userhash: true }).verifier.offer().map(formatMessage);
    const rest = 'nonce="[A-Za-z0-9_-]{64}", charset=UTF-8, userhash=true$';
    expect(lines).toEqual([
      expect.stringMatching(`^Digest realm="Corporate proxy", qop="auth, auth-int", algorithm=SHA-256, ${rest}`),
      expect.stringMatching(`^Digest realm="Corporate proxy", qop="auth, auth-int", algorithm=MD5, ${rest}`),
    ]);
    expect(new Set(lines.map((line) => /nonce="[^"]*"/.exec(line)?.[0])).size).toBe(1);
  });

  test('have another nonce each time', () => {
    const { verifier } = new Tier();
    const [one, two] = [verifier.offer(), verifier.offer()].map(([first]) => first?.params.get('nonce'));
    expect(one).not.toBe(two);
  });

  test.each<[string, Partial<DigestVerifierOptions>]>([
    ['no algorithm', { algorithms: [] }],
    ['no qop', { qop: [] }],
    ['a session without qop', { qop: [], rfc2069: true, algorithms: ['MD5-sess'] }],
    ['a life of nothing', { nonceLifetime: 0 }],
    ['no number', { nonceLifetime: Number.NaN }],
    ['a realm that no line can hold', { realm: 'a\r\nb' }],
    ['a short key', { key: new Secret('short') }],
  ])('of %s cannot be made', (_name, options) => {
    expect(() => new Tier(options)).toThrow(AuthError);
  });
});

const HEX64 = 'f'.repeat(64);

/** Right but for what is malformed. */
async function credentialsWith(name: string, value: string | undefined, tier: Tier) {
  const { credentials } = await answerTo(tier);
  return withParam(credentials, name, value);
}

describe('credentials that are malformed', () => {
  const MEGABYTE = 'x'.repeat(1_000_000);

  test.each<[string, string, string | undefined, string]>([
    ['no username', 'username', undefined, 'no username'],
    ['no realm', 'realm', undefined, 'no realm'],
    ['no nonce', 'nonce', undefined, 'no nonce'],
    ['no uri', 'uri', undefined, 'no uri'],
    ['no response', 'response', undefined, 'no response'],
    ['no nc', 'nc', undefined, 'qop without nc'],
    ['no cnonce', 'cnonce', undefined, 'qop without cnonce'],
    ['no qop', 'qop', undefined, 'nc or cnonce without qop'],
    ['a nonce of 1 MB', 'nonce', MEGABYTE, 'a nonce of over 1024 bytes'],
    ['a cnonce of 1 MB', 'cnonce', MEGABYTE, 'a cnonce of over 1024 bytes'],
    ['a username of 1 MB', 'username', MEGABYTE, 'a username of over 1024 bytes'],
    ['an nc of 1 MB', 'nc', '1'.repeat(1_000_000), 'an nc that is not 8 hexadecimal digits'],
    ['an nc of nine digits', 'nc', '000000001', 'an nc that is not 8 hexadecimal digits'],
    ['an nc of no digits', 'nc', '0000000g', 'an nc that is not 8 hexadecimal digits'],
    ['a negative nc', 'nc', '-0000001', 'an nc that is not 8 hexadecimal digits'],
    ['an nc of zero', 'nc', '00000000', 'an nc of 0: counts begin at 1'],
    [
      'a response of no digits',
      'response',
      `${HEX64.slice(1)}g`,
      'a response that is not 64 hexadecimal digits (SHA-256)',
    ],
    ['a short response', 'response', HEX64.slice(1), 'a response that is not 64 hexadecimal digits (SHA-256)'],
    ['a response of 1 MB', 'response', 'f'.repeat(1_000_000), 'a response that is not 64 hexadecimal digits (SHA-256)'],
    ['a response of another algorithm', 'algorithm', 'MD5', 'a response that is not 32 hexadecimal digits (MD5)'],
    ['no algorithm, which means MD5', 'algorithm', undefined, 'a response that is not 32 hexadecimal digits (MD5)'],
    ['an algorithm that is not known', 'algorithm', 'SHA3', 'unknown algorithm "SHA3"'],
    ['an algorithm of 1 MB', 'algorithm', MEGABYTE, `unknown algorithm "${'x'.repeat(40)}…"`],
    ['an algorithm that was not offered', 'algorithm', 'SHA-512-256', 'SHA-512-256 was not offered'],
    ['a qop that is not known', 'qop', 'auth-conf', 'unknown qop "auth-conf"'],
    ['a qop that was not offered', 'qop', 'auth-int', 'qop=auth-int was not offered'],
    ['another realm', 'realm', 'corporate proxy', 'the realm is not that of the challenge'],
    ['username beside username*', 'username*', "UTF-8''alice", 'username beside username*'],
    ['userhash of neither kind', 'userhash', 'maybe', 'a userhash that is neither true nor false'],
    [
      'a hash of the name that is none',
      'userhash',
      'true',
      'a username hash that is not 64 hexadecimal digits (SHA-256)',
    ],
    ['a name that steers a terminal', 'username', 'a\xc2\x9b2Jb', 'a username with control characters'],
    ['another uri', 'uri', 'http://origin.test/', 'the uri is not the request-target'],
  ])('%s', async (_name, param, value, log) => {
    const tier = new Tier();
    const credentials = await credentialsWith(param, value, tier);
    expect(tier.verifier.judge(credentials, REQUEST, undefined)).toEqual({
      kind: 'malformed',
      log: `Digest credentials: ${log}`,
    });
    expect(tier.calls).toEqual([]);
  });

  test.each([
    ['no quotes', 'alice'],
    ['another charset', "ISO-8859-1''alice"],
    ['a broken escape', "UTF-8''%C3%A"],
    ['half a character', "UTF-8''%C3"],
    ['a character that must be escaped', "UTF-8''a b"],
    ['a line break', "UTF-8''a%0Ab"],
    ['a character of no byte', "UTF-8''\u0161"],
  ])('username* with %s', async (_name, value) => {
    const tier = new Tier();
    const { credentials } = await answerTo(tier);
    const changed = withParam(withParam(credentials, 'username', undefined), 'username*', value);
    expect(tier.verifier.judge(changed, REQUEST, undefined)).toMatchObject({ kind: 'malformed' });
  });

  test('username* beside userhash, and a hash that nobody asked for', async () => {
    const tier = new Tier();
    const hashed = new Tier({ userhash: true });
    const { credentials } = await answerTo(hashed);
    const extended = withParam(withParam(credentials, 'username', undefined), 'username*', "UTF-8''alice");
    for (const changed of [extended, credentials])
      expect(tier.verifier.judge(changed, REQUEST, undefined)).toMatchObject({ kind: 'malformed' });
    expect(await judged(hashed, { credentials })).toMatchObject({ kind: 'accept' });
  });

  test('no parameters, and a token in their place', () => {
    const { verifier } = new Tier();
    for (const line of ['Digest', 'Digest bm9uY2U='])
      expect(verifier.judge(acrossLine(line), REQUEST, undefined)).toMatchObject({ kind: 'malformed' });
  });

  test('credentials without qop, unless RFC 2069 is allowed', async () => {
    const client = clientOf(ALICE, { rfc2069: true });
    const legacy = { algorithms: ['MD5'] as const, qop: [], rfc2069: true };
    const { credentials } = await answerTo(new Tier(legacy), client);
    expect(await judged(new Tier({ algorithms: ['MD5'] }), { credentials })).toEqual({
      kind: 'malformed',
      log: 'Digest credentials: no qop, though it was offered',
    });
    expect(await judged(new Tier({ ...legacy, qop: ['auth'] }), { credentials })).toMatchObject({ kind: 'accept' });
  });
});

function acrossLine(line: string) {
  const parsed = parseCredentials(line);
  if (!parsed.ok) throw new Error(parsed.fault.expected);
  return parsed.credentials;
}

describe('the uri', () => {
  const request = (target: string, method = 'GET'): ClientRequestFacts => ({ ...REQUEST, method, target });

  test.each<[string, string, boolean]>([
    ['http://origin.test/a?b=c', 'http://origin.test/a?b=c', true],
    ['http://origin.test/a?b=c', '/a?b=c', true],
    ['http://origin.test//a/../b', '//a/../b', true],
    ['HTTP://origin.test', '/', true],
    ['http://origin.test?q', '/?q', true],
    ['http://origin.test/a?b=c', '/a', false],
    ['http://origin.test/a', 'http://origin.test:80/a', false],
    ['http://origin.test/a%2F', '/a/', false],
    ['http://origin.test/a', 'http://other.test/a', false],
    ['http://origin.test/a', '', false],
    ['origin.test:443', 'origin.test:443', true],
    ['origin.test:443', 'origin.test', false],
    ['origin.test:443', '/', false],
    ['*', '*', true],
  ])('of %s may be %s: %p', async (target, uri, good) => {
    const tier = new Tier();
    const sent = await answerTo(tier, clientOf(), request(uri));
    const turn = await judged(tier, sent, request(target));
    expect(turn.kind).toBe(good ? 'accept' : 'malformed');
  });
});

describe('content for auth-int', () => {
  test('that is too large to be held can be neither right nor wrong', async () => {
    const tier = new Tier({ qop: ['auth-int'] });
    const sent = await answerTo(tier);
    const turn = await judged(tier, sent, { ...REQUEST, content: async () => undefined });
    expect(turn).toMatchObject({ kind: 'too-large', log: expect.stringContaining('too large') });
  });
});

describe('nonces', () => {
  const mint = (key = new Secret('0123456789abcdef'), realm = 'r') => nonceMint(key, realm, counting());

  test('say when they were minted', () => {
    expect(mint().mintedAt(mint().mint(NOW))).toBe(NOW);
  });

  test.each<[string, (nonce: string) => string]>([
    ['cut', (nonce) => nonce.slice(1)],
    ['padded', (nonce) => `${nonce}=`],
    ['in another alphabet', (nonce) => nonce.replace(/[-_]/g, '+')],
    ['empty', () => ''],
    ['long', (nonce) => nonce.repeat(16)],
  ])('that are %s are not ours', (_name, change) => {
    const nonce = mint().mint(NOW + 0xfb);
    expect(change(nonce)).not.toBe(nonce);
    expect(mint().mintedAt(change(nonce))).toBeUndefined();
  });

  test('of another key or realm are not ours', () => {
    const nonce = mint().mint(NOW);
    expect(mint(new Secret('fedcba9876543210')).mintedAt(nonce)).toBeUndefined();
    expect(mint(undefined, 's').mintedAt(nonce)).toBeUndefined();
  });

  test('that are changed in any digit are not ours', () => {
    const nonce = mint().mint(NOW);
    for (let at = 0; at < nonce.length; at += 1) {
      const changed = `${nonce.slice(0, at)}${nonce[at] === 'A' ? 'B' : 'A'}${nonce.slice(at + 1)}`;
      expect(mint().mintedAt(changed)).toBeUndefined();
    }
  });

  test('do not follow a key that is changed afterwards', () => {
    const key = Buffer.alloc(32, 7);
    const minted = nonceMint(key, 'r', counting());
    const nonce = minted.mint(NOW);
    key.fill(0);
    expect(minted.mintedAt(nonce)).toBe(NOW);
  });
});

describe('described for people', () => {
  test('credentials show all but the response, nonces cut short', async () => {
    const { credentials } = await answerTo(new Tier({ algorithms: ['SHA-256'] }));
    expect(describeDigest(credentials)).toEqual({
      username: 'alice',
      realm: 'Corporate proxy',
      uri: 'http://origin.test/a?b=c',
      algorithm: 'SHA-256',
      qop: 'auth',
      nc: '00000001',
      nonce: `${credentials.params.get('nonce')?.slice(0, 12)}…`,
      cnonce: `${credentials.params.get('cnonce')?.slice(0, 12)}…`,
      response: '[secret]',
    });
  });

  test('a name in any form', () => {
    const named = (params: Record<string, string>) =>
      describeDigest({ scheme: 'digest', params: new Map(Object.entries({ ...GOOD, ...params })) }).username;
    expect(named({ 'username*': "UTF-8''J%C3%A4ger" })).toBe('Jäger');
    expect(named({ username: 'J\xc3\xa4ger' })).toBe('Jäger');
    expect(named({ username: 'J\xe4ger' })).toBe('Jäger');
    expect(named({ username: 'A'.repeat(32), userhash: 'true' })).toBe('A'.repeat(32));
  });

  test('what is malformed, beside what is wrong with it', () => {
    const params = new Map([
      ['username', 'a\u009bb'],
      ['response', 'x'],
      ['nonce', 'n'],
    ]);
    expect(describeDigest({ scheme: 'digest', params })).toEqual({
      username: 'a?b',
      nonce: 'n',
      response: '[secret]',
      malformed: 'no realm',
    });
  });
});

const GOOD = { realm: 'r', nonce: 'n', uri: '/', response: 'f'.repeat(32) };

describe('for everything', () => {
  const byteText = fc
    .string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)) })
    .filter((text) => !text.includes('\x7f'));
  const token = fc.string({ unit: fc.constantFrom(...'abcXYZ019+/='), minLength: 1 });
  const hex = (length: number) =>
    fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
  const username = fc
    .string({ unit: 'grapheme' })
    .map((text) => text.normalize('NFC'))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not pass
    .filter((text) => !/[\x00-\x1f\x7f-\x9f]/.test(text) && encodeURIComponent(text).length < 900);

  test('a challenge is read as it was written', () => {
    const challenge: fc.Arbitrary<DigestChallenge> = fc.record(
      {
        realm: byteText,
        nonce: byteText,
        opaque: byteText,
        algorithm: fc.constantFrom(...DIGEST_ALGORITHMS),
        qop: fc.subarray(['auth', 'auth-int'] as const),
        stale: fc.boolean(),
        utf8: fc.boolean(),
        userhash: fc.boolean(),
      },
      { requiredKeys: ['realm', 'nonce', 'algorithm', 'qop', 'stale', 'utf8', 'userhash'] },
    );
    fc.assert(
      fc.property(challenge, (written) => {
        const [read] = acrossChallenges([encodeChallenge(written)]).map(readChallenge);
        expect(read).toEqual({ ok: true, challenge: { ...written, algorithmName: written.algorithm } });
      }),
    );
  });

  test('credentials are read as they were written', () => {
    const protection = fc.record({
      qop: fc.constantFrom('auth' as const, 'auth-int' as const),
      nc: hex(8).filter((nc) => nc !== '00000000'),
      cnonce: token,
    });
    const credentials = fc.constantFrom(...DIGEST_ALGORITHMS).chain(
      (algorithm): fc.Arbitrary<DigestCredentials> =>
        fc.record(
          {
            name: fc.oneof(
              username.map((name) => ({ username: name })),
              hex(hexLength(algorithm)).map((userhash) => ({ userhash })),
            ),
            realm: byteText,
            nonce: token,
            uri: byteText,
            response: hex(hexLength(algorithm)),
            algorithm: fc.constant(algorithm),
            opaque: byteText,
            protection,
          },
          { requiredKeys: ['name', 'realm', 'nonce', 'uri', 'response', 'algorithm'] },
        ),
    );
    fc.assert(
      fc.property(credentials, (written) => {
        const sent = { ...written, name: nameParams(written.name), algorithmName: written.algorithm };
        const read = readCredentials(acrossCredentials(encodeCredentials(sent)));
        expect(read).toEqual({ ok: true, credentials: written });
      }),
    );
  });

  test('whatever a proxy or a client writes, nothing throws', async () => {
    const names = [
      'username',
      'username*',
      'realm',
      'nonce',
      'uri',
      'response',
      'algorithm',
      'qop',
      'nc',
      'cnonce',
    ].concat(['opaque', 'stale', 'charset', 'userhash', 'rspauth', 'nextnonce']);
    const likely = ['auth', 'auth-int', 'MD5', 'SHA-256-sess', 'true', 'UTF-8', '00000001', "UTF-8''%", GOOD.response];
    const value = fc.oneof(fc.constantFrom(...likely), byteText, fc.string());
    const params = fc.array(fc.tuple(fc.constantFrom(...names), value)).map((entries) => new Map(entries));
    const tier = new Tier({ algorithms: ['MD5', 'SHA-256-sess'], qop: ['auth', 'auth-int'], userhash: true });
    const client = clientOf(ALICE, { rfc2069: true });
    await fc.assert(
      fc.asyncProperty(params, params, params, async (first, second, third) => {
        const message = (given: ReadonlyMap<string, string>) => ({ scheme: 'digest' as const, params: given });
        const turn = await tier.verifier.judge(message(first), REQUEST, undefined);
        expect(['malformed', 'reject']).toContain(turn.kind);
        describeDigest(message(first));
        const sent = await client.answer([message(first), message(second)], REQUEST, undefined);
        if (sent.kind !== 'send') return;
        expect(() => formatMessage(sent.credentials)).not.toThrow(TypeError);
        await client.answer([message(third)], REQUEST, sent.state);
        await client.conclude?.({ info: third, challenges: [] }, REQUEST, sent.state);
      }),
      { numRuns: 500 },
    );
  });
});
