import { describe, expect, test } from '@jest/globals';
import { note, parseReply, reasonOf, takeChannel } from '../../src/helper/replies.ts';
import type { HelperRequest } from '../../src/helper/requests.ts';
import { basicRequest, digestRequest, isBase64, tokenRequest } from '../../src/helper/requests.ts';

const lineOf = (request: HelperRequest): string => (request.ok ? request.line : `refused: ${request.why}`);
/** As it comes from a pipe: bytes as ISO 8859-1 text. */
const bytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

describe('a request of basic', () => {
  test.each([
    ['plain', 'alice', 'secret', 'alice secret'],
    ['spaces', 'John Smith', 'open sesame', 'John%20Smith open%20sesame'],
    ['quotes, percent and backslash', 'CORP\\"a"', "100%'", 'CORP%5C%22a%22 100%25%27'],
    ['what Squid leaves alone', 'a@b.example', 'x:y/z+1=2&3', 'a@b.example x:y/z+1=2&3'],
    ['UTF-8', 'jörg', '€', 'j%C3%B6rg %E2%82%AC'],
    ['line feeds', 'a\nb c', 'x\r\ny', 'a%0Ab%20c x%0D%0Ay'],
    ['no user name', '', 'x', 'refused: an empty user name'],
    ['no password', 'alice', '', 'refused: an empty password'],
    ['more than a helper reads', 'alice', 'x'.repeat(9_000), 'refused: longer than a helper reads'],
    ['more once it is escaped', 'alice', ' '.repeat(3_000), 'refused: longer than a helper reads'],
  ])('%s', (_what, username, password, line) => {
    expect(lineOf(basicRequest(username, password))).toBe(line);
  });
});

describe('a request of digest', () => {
  test.each([
    ['plain', 'alice', 'Corporate proxy', '"alice":"Corporate proxy"'],
    ['a domain', 'CORP\\alice', 'r', '"CORP\\alice":"r"'],
    ['UTF-8', 'jörg', 'Größe', '"jörg":"Größe"'],
    ['a user name that asks for another realm', 'alice":"other', 'r', 'refused: a user name with a quote'],
    ['a line feed', 'alice\n"bob":"r"', 'r', 'refused: a user name with a quote'],
    ['another control character', 'alice\rbob', 'r', 'refused: a user name with control characters'],
    ['no user name', '', 'r', 'refused: an empty user name'],
    ['no realm', 'alice', '', 'refused: an empty realm'],
  ])('%s', (_what, username, realm, line) => {
    expect(lineOf(digestRequest(username, realm))).toBe(line);
  });
});

describe('a request with a token', () => {
  test.each([
    ['YR', 'TlRMTVNTUAABAAAA', 'YR TlRMTVNTUAABAAAA'],
    ['KK', 'YII=', 'KK YII='],
    ['KK', 'YII=\nYR AAAA', 'refused: a token that is not base64'],
    ['YR', '', 'refused: a token that is not base64'],
    ['YR', 'A'.repeat(128 * 1024), 'refused: longer than a helper reads'],
  ] as const)('%s %j', (verb, token, line) => {
    expect(lineOf(tokenRequest(verb, token))).toBe(line);
  });

  test.each([
    ['AAAA', true],
    ['AA==', true],
    ['AA=', false],
    ['A===', false],
    ['AA-_', false],
    ['AAAA\n', false],
  ])('%j is base64: %s', (text, is) => {
    expect(isBase64(text)).toBe(is);
  });
});

describe('a reply', () => {
  test.each([
    ['OK', 'OK', {}, ''],
    ['OK ', 'OK', {}, ''],
    ['ERR Wrong password', 'ERR', {}, 'Wrong password'],
    ['ERR message="No such user"', 'ERR', { message: ['No such user'] }, ''],
    ['OK ha1="fa1af515"', 'OK', { ha1: ['fa1af515'] }, ''],
    [
      'OK user=alice group=staff group="night shift" tag=',
      'OK',
      { user: ['alice'], group: ['staff', 'night shift'] },
      'tag=',
    ],
    ['OK user=CORP%5Calice%20b', 'OK', { user: ['CORP\\alice b'] }, ''],
    ['OK user="100%25 \\"a\\" \\\\ b\\nc"', 'OK', { user: ['100%25 "a" \\ b\nc'] }, ''],
    ['OK user=%C3%A0', 'OK', { user: ['à'] }, ''],
    ['OK user=à', 'OK', { user: ['à'] }, ''],
    ['OK token=oRQ= user=alice@EXAMPLE', 'OK', { token: ['oRQ='], user: ['alice@EXAMPLE'] }, ''],
    ['OK user="never ends', 'OK', {}, 'user="never ends'],
    ['OK user="a"b', 'OK', {}, 'user="a"b'],
    ['OK __proto__=x', 'OK', { ['__proto__']: ['x'] }, ''],
    ['BH input error', 'BH', {}, 'input error'],
    ['TT oRQwEqADCgE=', 'TT', {}, 'oRQwEqADCgE='],
    ['AF CORP\\John Smith', 'AF', {}, 'CORP\\John Smith'],
    ['AF oRQwEqADCgE= alice@EXAMPLE', 'AF', {}, 'oRQwEqADCgE= alice@EXAMPLE'],
    ['NA user=no note', 'NA', {}, 'user=no note'],
    ['AF', 'AF', {}, ''],
  ])('%s', (line, result, notes, text) => {
    const reply = parseReply(bytes(line));
    expect({ ...reply, notes: [...reply.notes] }).toEqual({ result, notes: Object.entries(notes), text });
  });

  test('in ISO 8859-1 is read all the same', () => {
    expect(note(parseReply('OK user=j\xf6rg'), 'user')).toBe('jörg');
  });

  test.each(['', ' ', 'ok', 'OKAY', 'fa1af51538dadd256ffb9a666da30034', 'OK\tuser=a', 'OK user=a\rb'])(
    '%j is none: BH with a reason that does not repeat it',
    (line) => {
      const reply = parseReply(line);
      expect(reply.result).toBe('BH');
      expect(reasonOf(reply)).toBe('a reply that begins with none of OK, ERR, BH, TT, AF and NA');
    },
  );

  test('as long as a line may be costs no stack', () => {
    const value = '\\x'.repeat(60_000);
    expect(note(parseReply(`OK user="${value}"`), 'user')).toHaveLength(60_000);
  });

  test('gives a reason that is one line and bounded', () => {
    expect(reasonOf(parseReply(`ERR message="a\\nb\\r${'x'.repeat(300)}"`))).toMatch(/^a b x{196}$/);
    expect(reasonOf(parseReply('ERR'))).toBe('it gave no reason');
  });
});

test.each([
  ['0 OK', { channel: 0, rest: 'OK' }],
  ['12  OK user=a', { channel: 12, rest: 'OK user=a' }],
  ['7', { channel: 7, rest: '' }],
  ['OK', undefined],
  ['-1 OK', undefined],
  ['12345678901 OK', undefined],
])('the channel of %j', (line, taken) => {
  expect(takeChannel(line)).toEqual(taken);
});
