import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AuthError } from '../src/errors.ts';
import { formatMessage, parseChallenges, parseCredentials } from '../src/grammar.ts';
import type { Credentials } from '../src/message.ts';
import { withParams, withToken } from '../src/message.ts';
import type { ClientRequestFacts } from '../src/scheme.ts';
import { bearerClient } from '../src/schemes/bearer/client.ts';
import { describeBearer } from '../src/schemes/bearer/describe.ts';
import { jwtAlgorithm, jwtExpiry } from '../src/schemes/bearer/jwt.ts';
import type { CheckToken, TokenOwner } from '../src/schemes/bearer/verifier.ts';
import { bearerVerifier } from '../src/schemes/bearer/verifier.ts';
import {
  bearerChallenge,
  bearerComplaint,
  encodeBearer,
  lacksScope,
  readBearer,
  unusableToken,
} from '../src/schemes/bearer/wire.ts';
import { Secret } from '../src/secret.ts';
import { VerifierGate } from '../src/verifier-gate.ts';

const REQUEST: ClientRequestFacts = { method: 'GET', target: 'http://origin.test/', peerHost: 'proxy.test' };
const TOKEN = 'mF_9.B5f-4.1JqM';

/** RFC 7519 §3.1: header {"typ":"JWT",\r\n "alg":"HS256"}, claims {"iss":"joe",\r\n "exp":1300819380, …}. */
const RFC7519_JWT = [
  'eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9',
  'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ',
  'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
].join('.');

const jwt = (claims: unknown, header: unknown = { alg: 'RS256' }): string =>
  [...[header, claims].map((json) => Buffer.from(JSON.stringify(json) ?? '').toString('base64url')), 'c2ln'].join('.');

describe('the examples of the RFCs', () => {
  test('RFC 6750 §2.1: credentials', () => {
    const line = 'Bearer mF_9.B5f-4.1JqM';
    expect(formatMessage(encodeBearer(new Secret(TOKEN)))).toBe(line);
    const parsed = parseCredentials(line);
    const read = readBearer(parsed.ok ? parsed.credentials : withParams('bearer'));
    expect(read.ok && read.token.reveal()).toBe(TOKEN);
  });

  test('RFC 6750 §3: the challenge for no token', () => {
    expect(formatMessage(bearerChallenge('example'))).toBe('Bearer realm="example"');
    expect(parseChallenges(['Bearer realm="example"']).challenges).toEqual([bearerChallenge('example')]);
  });

  test('RFC 6750 §3: the challenge for a token that has expired (without its line break)', () => {
    const line = 'Bearer realm="example", error="invalid_token", error_description="The access token expired"';
    const verifier = bearerVerifier('example', () => 'expired');
    const turn = verifier.judge(encodeBearer(new Secret(TOKEN)), REQUEST, undefined);
    expect(turn).toMatchObject({ kind: 'reject', challenges: [parseChallenges([line]).challenges[0]] });
    expect('challenges' in turn && turn.challenges?.map(formatMessage)).toEqual([line]);
  });

  test.each(['openid profile email', 'urn:example:channel=HBO&urn:example:rating=G,PG-13'])(
    'RFC 6750 §3: the scope %j is read, and nothing is made of it',
    (scope) => {
      const { challenges, faults } = parseChallenges([`Bearer realm="example", scope="${scope}"`]);
      expect([challenges[0]?.params.get('scope'), faults]).toEqual([scope, []]);
      expect(bearerComplaint(challenges, new Secret(TOKEN))).toBeUndefined();
    },
  );

  test('RFC 7519 §3.1: the end and the algorithm of a JWT', () => {
    expect(jwtExpiry(new Secret(RFC7519_JWT))).toBe(1300819380);
    expect(jwtAlgorithm(new Secret(RFC7519_JWT))).toBe('HS256');
  });

  test('RFC 7519 §6.1: those of one without a signature', () => {
    const unsecured =
      'eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.';
    expect(jwtExpiry(new Secret(unsecured))).toBe(1300819380);
    expect(jwtAlgorithm(new Secret(unsecured))).toBe('none');
  });
});

/** Client against verifier, by header lines only: what each says, and how it ends. */
async function converse(tokens: readonly string[], check: CheckToken): Promise<string[]> {
  const waiting = tokens.map((token) => new Secret(token));
  const [first = new Secret('')] = waiting;
  const source = {
    current: first,
    renew: (): Secret => {
      waiting.shift();
      source.current = waiting[0] ?? source.current;
      return source.current;
    },
  };
  const client = bearerClient(source, { now: () => 0 });
  const gate = new VerifierGate([bearerVerifier('lab', check)]);
  let { verdict } = await gate.judge([], REQUEST, undefined);
  const transcript: string[] = [];
  let state: Parameters<typeof client.answer>[2];
  for (;;) {
    if (verdict.kind === 'admitted') return [...transcript, `200 ${verdict.principal.name}`];
    if (verdict.kind !== 'ask') return [...transcript, `${verdict.kind}: ${verdict.log}`];
    const asked = verdict.challenges.map(formatMessage).join(', ');
    transcript.push(`407 ${asked}`);
    const answer = await client.answer(parseChallenges([asked]).challenges, REQUEST, state);
    if (answer.kind === 'refuse') return [...transcript, `${answer.reason}: ${answer.detail}`];
    state = answer.state;
    const line = formatMessage(answer.credentials);
    transcript.push(line);
    ({ verdict } = await gate.judge([line], REQUEST, undefined));
  }
}

describe('client and verifier, by what they say to each other', () => {
  const ASKED = '407 Bearer realm="lab"';
  const EXPIRED = '407 Bearer realm="lab", error="invalid_token", error_description="The access token expired"';
  const INVALID = '407 Bearer realm="lab", error="invalid_token", error_description="The access token is not valid"';
  const owners: ReadonlyMap<string, TokenOwner> = new Map<string, TokenOwner>([
    ['good', { name: 'alice' }],
    ['old', 'expired'],
  ]);
  const check: CheckToken = (token) => owners.get(token.reveal());
  const late: CheckToken = async (token) => owners.get(token.reveal());

  test.each<[string, readonly string[], readonly string[]]>([
    ['let in a good token', ['good'], [ASKED, 'Bearer good', '200 alice']],
    [
      'go on with the next token when one has expired',
      ['old', 'good'],
      [ASKED, 'Bearer old', EXPIRED, 'Bearer good', '200 alice'],
    ],
    [
      'go on with the next token when one is not known',
      ['forged', 'good'],
      [ASKED, 'Bearer forged', INVALID, 'Bearer good', '200 alice'],
    ],
    [
      'end where there is no other token',
      ['old'],
      [ASKED, 'Bearer old', EXPIRED, 'rejected: invalid_token: The access token expired'],
    ],
    [
      'end after one other token',
      ['old', 'forged', 'good'],
      [
        ASKED,
        'Bearer old',
        EXPIRED,
        'Bearer forged',
        INVALID,
        'rejected: invalid_token: The access token is not valid',
      ],
    ],
    [
      'say nothing with a token that has no form on the wire',
      ['a b'],
      [ASKED, `unsupported: ${unusableToken(new Secret('a b'))}`],
    ],
    [
      'do not go on from a token that was sent to one that has no form',
      ['old', 'a b'],
      [ASKED, 'Bearer old', EXPIRED, 'rejected: invalid_token: The access token expired'],
    ],
  ])('%s', async (_what, tokens, transcript) => {
    expect(await converse(tokens, check)).toEqual(transcript);
    expect(await converse(tokens, late)).toEqual(transcript);
  });
});

describe('a token', () => {
  test.each(['a', TOKEN, 'a==', '-._~+/', '0'.repeat(100_000), RFC7519_JWT])(
    'of the form b64token is sent: %.40s',
    (text) => {
      expect(unusableToken(new Secret(text))).toBeUndefined();
      expect(parseCredentials(formatMessage(encodeBearer(new Secret(text))))).toEqual({
        ok: true,
        credentials: withToken('bearer', text),
      });
    },
  );

  test.each([
    '',
    '=',
    'a=b',
    'hunter 2',
    'hunter2\n',
    'hunter2\r\nX: y',
    '"hunter2"',
    'hünter2',
    'hunter2,',
    'hunter2\0',
  ])('of another form is not, and is not shown: %j', (text) => {
    expect(unusableToken(new Secret(text))).toMatch(/^the token holds/);
    expect(unusableToken(new Secret(text))).not.toMatch(/h.nter/);
  });
});

describe('the verifier', () => {
  const good = encodeBearer(new Secret(TOKEN));

  test.each<[string, Credentials]>([
    ['nothing', withParams('bearer')],
    ['parameters', withParams('bearer', [['token', TOKEN]])],
    ['the parameter of a form', withParams('bearer', [['access_token', TOKEN]])],
  ])('calls credentials malformed that have %s in place of a token, and checks none', (_what, credentials) => {
    const verifier = bearerVerifier('lab', () => {
      throw new Error('checked');
    });
    expect(verifier.judge(credentials, REQUEST, undefined)).toEqual({
      kind: 'malformed',
      log: 'Bearer credentials without a token',
    });
  });

  test('answers at once where the check does, and waits where it waits', async () => {
    const accepted = { kind: 'accept', principal: { name: 'alice' } };
    expect(bearerVerifier('lab', () => ({ name: 'alice' })).judge(good, REQUEST, undefined)).toEqual(accepted);
    const turn = bearerVerifier('lab', async () => ({ name: 'alice' })).judge(good, REQUEST, undefined);
    expect(turn).toBeInstanceOf(Promise);
    expect(await turn).toEqual(accepted);
  });

  // The attack needs nobody: a check that promises "no" with a promise of another realm is taken for a yes.
  test('waits for a promise of another realm, too', async () => {
    const foreign = runInNewContext('Promise.resolve(undefined)') as Promise<TokenOwner>;
    expect(await bearerVerifier('lab', () => foreign).judge(good, REQUEST, undefined)).toMatchObject({
      kind: 'reject',
    });
  });

  test('lets no one in when the check fails', async () => {
    const down = new Error('directory down');
    await expect(bearerVerifier('lab', () => Promise.reject(down)).judge(good, REQUEST, undefined)).rejects.toBe(down);
  });

  test('is told the token as it came', () => {
    const seen: string[] = [];
    const verifier = bearerVerifier('lab', (token) => void seen.push(token.reveal()));
    verifier.judge(withToken('bearer', 'aA-._~+/=='), REQUEST, undefined);
    expect(seen).toEqual(['aA-._~+/==']);
  });

  test.each(['line\r\nfeed', 'lock \u{1f512}'])(
    'refuses the realm %j when it is made, not at the first 407',
    (realm) => {
      expect(() => bearerVerifier(realm, () => undefined)).toThrow(AuthError);
    },
  );
});

describe('what a proxy says of a token', () => {
  const said = (line: string, token = 'hunter2'): string | undefined =>
    bearerComplaint(parseChallenges([line]).challenges, new Secret(token));

  test.each<[string, string, string | undefined]>([
    ['is its error and description', 'Bearer error="invalid_token", error_description="gone"', 'invalid_token: gone'],
    ['is its error alone', 'Bearer realm="x", error="invalid_token"', 'invalid_token'],
    ['is looked for in every challenge', 'Bearer realm="x", Bearer error=invalid_token', 'invalid_token'],
    ['is nothing without an error', 'Bearer realm="x", error_description="well"', undefined],
    ['is nothing where the error is empty', 'Bearer realm="x", error=""', undefined],
    [
      'is shown in printable ASCII',
      'Bearer error="invalid_token", error_description="\t\x9b2J\xe9"',
      'invalid_token: ??2J?',
    ],
    [
      'is shown without the token',
      'Bearer error="invalid_token", error_description="no hunter2: hunter2"',
      'invalid_token: no [secret]: [secret]',
    ],
    [
      'is shown in short',
      `Bearer error="invalid_token", error_description="${'x'.repeat(10_000)}"`,
      `invalid_token: ${'x'.repeat(182)}...`,
    ],
  ])('%s', (_what, line, shown) => {
    expect(said(line)).toBe(shown);
  });

  test('can be that it is good, but not for this', () => {
    const lacking = (line: string): boolean => lacksScope(parseChallenges([line]).challenges);
    expect(lacking('Bearer error="insufficient_scope", scope="web"')).toBe(true);
    expect(lacking('Basic realm="x", Bearer error="insufficient_scope"')).toBe(true);
    expect(lacking('Bearer error="invalid_token"')).toBe(false);
    expect(lacking('Digest error="insufficient_scope"')).toBe(false);
    expect(lacking('Bearer')).toBe(false);
  });
});

describe('the end of a token', () => {
  test.each<[string, string, number | undefined]>([
    ['is in its claims', jwt({ exp: 1_700_000_000 }), 1_700_000_000],
    ['may be a fraction (RFC 7519 §2, NumericDate)', jwt({ exp: 1_700_000_000.5 }), 1_700_000_000.5],
    ['may be missing', jwt({ iss: 'joe' }), undefined],
    ['may be a text', jwt({ exp: '1700000000' }), undefined],
    ['may be too large for a number', `e30.${Buffer.from('{"exp":1e999}').toString('base64url')}.c2ln`, undefined],
    ['is not in claims that are a list', jwt([1]), undefined],
    ['is not in claims that are null', jwt(null), undefined],
    ['is not in claims that are no JSON', 'e30.e30x.c2ln', undefined],
    ['is not in claims that are no base64', 'e30.e~~.c2ln', undefined],
    ['is not in two parts', jwt({ exp: 1 }).split('.').slice(0, 2).join('.'), undefined],
    ['is not in the five parts of an encrypted one', `${jwt({ exp: 1 })}.a.b`, undefined],
    ['is not in an opaque token', TOKEN, undefined],
    ['is not in nothing', '', undefined],
    ['is not in dots', '..', undefined],
  ])('%s', (_what, token, exp) => {
    expect(jwtExpiry(new Secret(token))).toBe(exp);
  });
});

describe('credentials that are shown', () => {
  test.each<[string, Credentials, Record<string, string>]>([
    ['nothing of an opaque token', withToken('bearer', TOKEN), { token: '[secret]' }],
    [
      'the algorithm and the end of a JWT',
      withToken('bearer', RFC7519_JWT),
      { token: '[secret]', alg: 'HS256', exp: '2011-03-22T18:43:00.000Z' },
    ],
    [
      'the algorithm of one without an end',
      withToken('bearer', jwt({ sub: 'alice' })),
      { token: '[secret]', alg: 'RS256' },
    ],
    ['no end that no calendar has', withToken('bearer', jwt({ exp: 1e15 }, {})), { token: '[secret]' }],
    ['no algorithm that steers a terminal', withToken('bearer', jwt({}, { alg: '\u001b[2J' })), { token: '[secret]' }],
    [
      'what is wrong where there is no token',
      withParams('bearer', [['token', TOKEN]]),
      { malformed: 'Bearer credentials without a token' },
    ],
  ])('have %s', (_what, credentials, fields) => {
    expect(describeBearer(credentials)).toEqual(fields);
  });
});

describe('whatever comes', () => {
  const text = fc.string({ unit: 'binary', maxLength: 60 });
  const params = fc.array(
    fc.tuple(
      fc.constantFrom('error', 'error_description', 'realm', 'scope', 'x'),
      fc.oneof(text, fc.constantFrom('invalid_token', 'insufficient_scope', 'hunter2hunter2')),
    ),
    {
      maxLength: 5,
    },
  );
  const anyToken = fc.oneof(
    text,
    fc
      .array(fc.oneof(text, fc.json(), fc.base64String()), { maxLength: 6 })
      .map((parts) => parts.map((part) => Buffer.from(part).toString('base64url')).join('.')),
  );

  test('the client answers or refuses, and never shows the token', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          params.map((pairs) => withParams('bearer', pairs)),
          { minLength: 1, maxLength: 3 },
        ),
        async (challenges) => {
          const secret = new Secret('hunter2hunter2');
          const client = bearerClient({ current: secret, renew: () => undefined }, { now: () => 0 });
          const first = await client.answer(challenges, REQUEST, undefined);
          expect(first.kind).toBe('send');
          const second = await client.answer(challenges, REQUEST, first.kind === 'send' ? first.state : undefined);
          expect(second.kind).toBe('refuse');
          const detail = second.kind === 'refuse' ? second.detail : '';
          expect(detail).toMatch(/^[\x20-\x7e]{1,240}$/);
          expect(detail).not.toContain('hunter2hunter2');
        },
      ),
    );
  });

  test('the verifier judges, and what is shown of it holds no more than three known fields', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyToken.map((token) => withToken('bearer', token)),
          params.map((pairs) => withParams('bearer', pairs)),
        ),
        (credentials) => {
          const turn = bearerVerifier('lab', () => undefined).judge(credentials, REQUEST, undefined);
          expect('kind' in turn && turn.kind).toBe(credentials.token68 === undefined ? 'malformed' : 'reject');
          const {
            token,
            alg = 'none',
            exp = '1970-01-01T00:00:00.000Z',
            malformed,
            ...rest
          } = describeBearer(credentials);
          expect(token ?? malformed).toMatch(/^(\[secret\]|Bearer credentials without a token)$/);
          expect(alg).toMatch(/^[A-Za-z0-9+-]{1,32}$/);
          expect(exp).toMatch(/^[-+]?\d+-\d\d-\d\dT[\d:.]+Z$/);
          expect(rest).toEqual({});
        },
      ),
    );
  });

  test('a token is sent as it is, or not at all', () => {
    fc.assert(
      fc.property(fc.oneof(anyToken, fc.base64String({ minLength: 1 })), (token) => {
        const secret = new Secret(token);
        if (unusableToken(secret) !== undefined) expect(() => formatMessage(encodeBearer(secret))).toThrow(AuthError);
        else
          expect(parseCredentials(formatMessage(encodeBearer(secret)))).toEqual({
            ok: true,
            credentials: withToken('bearer', token),
          });
      }),
    );
  });
});
