import type { Challenge } from '@chain407/auth';
import {
  decodeBasic,
  encodeBasic,
  formatMessage,
  parseChallenges,
  parseCredentials,
  Secret,
  withParams,
} from '@chain407/auth';
import { describe, expect, test } from '@jest/globals';
import type { Plain } from './plain.ts';
import { bare, plain, token } from './plain.ts';
import { describePublished } from './published.ts';

interface PublishedChallenge {
  readonly scheme: string;
  readonly token68?: string | null;
  readonly params?: readonly (readonly [string, string | null])[];
}

/** What a row says, under one of these names. */
interface Expectation extends Partial<PublishedChallenge> {
  readonly basicRealmInFirefox?: string | null;
  readonly challenges?: 'error' | readonly PublishedChallenge[];
  readonly parses?: true;
}

interface ChallengeRow {
  readonly id: string;
  readonly header: string | readonly string[];
  readonly expect: Expectation;
}

interface CredentialsRow {
  readonly id: string;
  readonly header?: string;
  readonly fields?: Readonly<Record<string, string>>;
}

interface BasicRow {
  readonly id: string;
  readonly username: string;
  readonly password: string;
  readonly charset: string;
  readonly token68: string;
}

interface Vectors {
  readonly challengeParsing: readonly ChallengeRow[];
  readonly credentialsParsing: readonly CredentialsRow[];
  readonly basic: readonly BasicRow[];
}

interface Deviation {
  readonly reason: string;
  /** What is read instead; `fault`: its place. */
  readonly instead: readonly Plain[] | { readonly fault: number };
}

const UNQUOTED = 'a quoted-string ends in a quote (RFC 9110 §5.6.4): a cut line must not pass for a whole one';

/** Where we do not do what the row says. */
const DEVIATIONS = new Map<string, Deviation>([
  [
    'greenbytes-simplebasiclf',
    {
      reason: 'obs-fold is for the reader of the message to refuse or to unfold (RFC 9112 §5.2), and no character here',
      instead: { fault: 0 },
    },
  ],
  [
    'greenbytes-simplebasictokbs',
    { reason: 'a backslash is no tchar (RFC 9110 §5.6.2); Firefox drops one of them', instead: { fault: 0 } },
  ],
  [
    'greenbytes-simplebasiccomma2',
    {
      reason: 'Firefox finds no realm, the ABNF (RFC 9110 §11.3) an error; the parameter can belong nowhere else',
      instead: [bare('basic', { realm: 'foo' })],
    },
  ],
  [
    'greenbytes-simplebasicnorealm',
    {
      reason: 'an absent realm is not an empty one; that Basic needs one (RFC 7617 §2) is not a matter of grammar',
      instead: [bare('basic')],
    },
  ],
  [
    'greenbytes-simplebasic2realms',
    {
      reason: 'a parameter name MUST occur only once (RFC 9110 §11.2); Firefox takes the first',
      instead: { fault: 19 },
    },
  ],
  ['chromium-tok-MismatchedQuotes', { reason: UNQUOTED, instead: { fault: 0 } }],
  ['chromium-tok-MismatchedQuotesNoValue', { reason: UNQUOTED, instead: { fault: 0 } }],
  ['chromium-tok-MismatchedQuotesMultiple', { reason: UNQUOTED, instead: { fault: 36 } }],
  [
    'chromium-tok-Base64',
    {
      reason: 'a token68 has any number of equals signs (RFC 9110 §11.2); what is surplus is for the scheme to say',
      instead: [token('ntlm', 'SGVsbG8sIFdvcmxkCg===')],
    },
  ],
  [
    'httpclient-testParseMultipleAuthChallengeWithParams',
    { reason: 'an auth-param has an equals sign and a value (RFC 9110 §11.2)', instead: { fault: 76 } },
  ],
  [
    'httpclient-testParseValidAuthChallenge2',
    {
      reason: 'a word after the scheme is a token68, and one after a comma a scheme (RFC 9110 §11.3)',
      instead: [token('blah', 'blah'), bare('blah')],
    },
  ],
]);

function expectPublished(challenges: readonly Challenge[], published: readonly PublishedChallenge[]): void {
  expect(challenges.map(plain)).toEqual(
    published.map(({ scheme, token68, params }) => ({
      scheme: scheme.toLowerCase(),
      ...(typeof token68 === 'string' ? { token68 } : {}),
      params: params ?? [],
    })),
  );
}

function judge(lines: readonly string[], row: Expectation): void {
  const { challenges, faults } = parseChallenges(lines);
  if (row.challenges === 'error') {
    expect([challenges.length, faults.length]).toEqual([0, 1]);
    return;
  }
  expect(faults).toEqual([]);
  if (row.challenges !== undefined) expectPublished(challenges, row.challenges);
  else if (row.scheme !== undefined) expectPublished(challenges, [{ ...row, scheme: row.scheme }]);
  else if (row.basicRealmInFirefox !== undefined) {
    const basic = challenges.find(({ scheme }) => scheme === 'basic');
    expect(basic === undefined ? null : basic.params.get('realm')).toBe(row.basicRealmInFirefox);
  } else if (row.parses) expect(challenges).toHaveLength(lines.length);
  else throw new Error(`no rule for a row with: ${Object.keys(row)}`);
}

/** A line that owes nothing to our own formatter; no published field holds a quote or a backslash. */
function digestLine(fields: Readonly<Record<string, string>>): string {
  const params = Object.entries(fields).map(([name, value]) => {
    if (/["\\]/.test(value)) throw new Error(`${name} needs escapes`);
    return `${name}="${value}"`;
  });
  return `Digest ${params.join(', ')}`;
}

/** The fields of a line whose quoted strings have no escapes, read without our parser. */
function fieldsOf(line: string): Record<string, string> {
  const found = line.matchAll(/([a-z]+)=(?:"([^"]*)"|([^", ]+))/g);
  return Object.fromEntries([...found].map(([, name, quoted, bareword]) => [name, quoted ?? bareword]));
}

/** What these rows say is for Digest to say: its own vectors have them. */
const OF_DIGEST = ['digest', 'secondChallenge', 'choose'];

describePublished('challenges and credentials', ({ challengeParsing: all, credentialsParsing, basic }: Vectors) => {
  const challengeParsing = all.filter((row) => !OF_DIGEST.some((name) => name in row.expect));

  test('every section has rows, and every deviation is of one of them', () => {
    expect([challengeParsing, credentialsParsing, basic].filter((rows) => rows.length === 0)).toEqual([]);
    const ids = challengeParsing.map(({ id }) => id);
    expect([...DEVIATIONS.keys()].filter((id) => !ids.includes(id))).toEqual([]);
  });

  describe('challenges are read as published', () => {
    const rows = challengeParsing.filter(({ id }) => !DEVIATIONS.has(id));
    test.each(rows)('$id', ({ header, expect: expected }) => {
      judge([header].flat(), expected);
    });
  });

  describe('challenges are not read as published', () => {
    const rows = challengeParsing.flatMap((row) => {
      const deviation = DEVIATIONS.get(row.id);
      return deviation === undefined ? [] : [{ ...row, ...deviation }];
    });
    test.each(rows)('$id: $reason', ({ header, expect: expected, instead }) => {
      expect(() => judge([header].flat(), expected)).toThrow();
      const { challenges, faults } = parseChallenges([header].flat());
      if ('fault' in instead) expect([challenges, faults.map(({ at }) => at)]).toEqual([[], [instead.fault]]);
      else expect([challenges.map(plain), faults]).toEqual([instead, []]);
    });
  });

  describe('credentials are read as published, and written so that they are read again', () => {
    test.each([...credentialsParsing])('$id', ({ header, fields }) => {
      const line = header ?? digestLine(fields ?? {});
      const expected = bare('digest', fields ?? fieldsOf(line));
      expect(expected.params).not.toEqual([]);
      const parsed = parseCredentials(line);
      expect(parsed.ok && plain(parsed.credentials)).toEqual(expected);
      const again = parseCredentials(formatMessage(withParams('digest', expected.params)));
      expect(again.ok && plain(again.credentials)).toEqual(expected);
    });
  });

  describe('Basic is read as published, and written where it is UTF-8', () => {
    test.each([...basic])('$id', ({ username, password, charset, token68 }) => {
      expect(['utf8', 'latin1']).toContain(charset);
      const parsed = parseCredentials(`Basic ${token68}`);
      const decoded = parsed.ok ? decodeBasic(parsed.credentials) : parsed;
      expect(decoded.ok && [decoded.userPass.username, decoded.userPass.password.reveal()]).toEqual([
        username,
        password,
      ]);
      const written = encodeBasic(username, new Secret(password)).token68;
      expect(written === token68).toBe(charset === 'utf8');
    });
  });
});
