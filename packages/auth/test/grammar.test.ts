import type { AuthMessage, SchemeName } from '@chain407/auth';
import {
  AuthError,
  formatMessage,
  parseChallenges,
  parseCredentials,
  quote,
  spellScheme,
  withParams,
  withToken,
} from '@chain407/auth';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bare, plain, token } from './plain.ts';

const MEGABYTE = 1 << 20;

function read(...lines: string[]) {
  const { challenges, faults } = parseChallenges(lines);
  return { challenges: challenges.map(plain), faults };
}

describe('challenges', () => {
  const apps = bare('newauth', { realm: 'apps', type: '1', title: 'Login to "apps"' });
  const simple = bare('basic', { realm: 'simple' });

  test.each([
    {
      from: 'RFC 9110 §11.6.1, two challenges on one line',
      lines: ['Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""'],
      challenges: [simple, apps],
    },
    {
      from: 'RFC 9110 §11.6.1, the other way round',
      lines: ['Newauth realm="apps", type=1, title="Login to \\"apps\\"", Basic realm="simple"'],
      challenges: [apps, simple],
    },
    {
      from: 'RFC 9110 §5.3, the same on two lines',
      lines: ['Newauth realm="apps", type=1, title="Login to \\"apps\\""', 'Basic realm="simple"'],
      challenges: [apps, simple],
    },
    {
      from: 'RFC 9110 §11.3, an auth-scheme alone',
      lines: ['Negotiate'],
      challenges: [bare('negotiate')],
    },
    {
      from: 'RFC 9110 §11.3, several of them on one line',
      lines: ['Negotiate, NTLM,Kerberos'],
      challenges: [bare('negotiate'), bare('ntlm'), bare('kerberos')],
    },
    {
      from: 'RFC 9110 §11.3, a token68 before another challenge',
      lines: ['NTLM TlRMTVNTUAAC/+=, Basic realm="simple"'],
      challenges: [token('ntlm', 'TlRMTVNTUAAC/+='), simple],
    },
    {
      from: 'RFC 9110 §11.2, every character of a token68',
      lines: ['Bearer aZ09-._~+/=='],
      challenges: [token('bearer', 'aZ09-._~+/==')],
    },
    {
      from: 'RFC 9110 §11.2, a token68 of several paddings and spaces after it',
      lines: ['NTLM  abc=== \t, NTLM'],
      challenges: [token('ntlm', 'abc==='), bare('ntlm')],
    },
    {
      from: 'RFC 9110 §11.2, what could be a token68 is a parameter where a value follows',
      lines: ['One aaaa, Two aaaa==, Three aaaa=aaaa, Four aaaa='],
      challenges: [
        token('one', 'aaaa'),
        token('two', 'aaaa=='),
        bare('three', { aaaa: 'aaaa' }),
        token('four', 'aaaa='),
      ],
    },
    {
      from: 'RFC 9110 §11.1 and §11.2, any letter case of schemes and names, but not of values',
      lines: ['bASIC REALM="Foo", CharSet=UTF-8'],
      challenges: [bare('basic', { realm: 'Foo', charset: 'UTF-8' })],
    },
    {
      from: 'RFC 9110 §11.2, bad white space around the equals sign',
      lines: ['Basic realm = "foo",charset\t=\tUTF-8'],
      challenges: [bare('basic', { realm: 'foo', charset: 'UTF-8' })],
    },
    {
      from: 'RFC 9110 §5.6.1.2, empty list elements',
      lines: [' , ,Basic realm="foo",, charset=UTF-8 ,\t,,NTLM,, '],
      challenges: [bare('basic', { realm: 'foo', charset: 'UTF-8' }), bare('ntlm')],
    },
    {
      from: 'RFC 9110 §5.6.2, every character of a token',
      lines: ["!#$%&'*+-.^_`|~09azAZ !#$%&'*+-.^_`|~09az=!#$%&'*+-.^_`|~09azAZ"],
      challenges: [bare("!#$%&'*+-.^_`|~09azaz", { "!#$%&'*+-.^_`|~09az": "!#$%&'*+-.^_`|~09azAZ" })],
    },
    {
      from: 'RFC 9110 §5.6.4, commas, equals signs and schemes inside a quoted-string',
      lines: ['Digest realm="a, Basic realm=b", qop="auth,auth-int"'],
      challenges: [bare('digest', { realm: 'a, Basic realm=b', qop: 'auth,auth-int' })],
    },
    {
      from: 'RFC 9110 §5.6.4, quoted-pairs lose their backslash, also where none was needed',
      lines: ['Basic realm="\\"\\\\\\a\\\t"'],
      challenges: [bare('basic', { realm: '"\\a\t' })],
    },
    {
      from: 'RFC 9110 §5.6.4, an empty quoted-string',
      lines: ['Basic realm=""'],
      challenges: [bare('basic', { realm: '' })],
    },
    {
      from: 'RFC 9110 §5.6.4, obs-text is kept byte for byte',
      lines: ['Basic realm="foo-\xe4\x80\xff"'],
      challenges: [bare('basic', { realm: 'foo-\xe4\x80\xff' })],
    },
    {
      from: 'RFC 7616 §3.9.1, two challenges of one scheme',
      lines: ['Digest realm="a", algorithm=SHA-256, nonce="n"', 'Digest realm="a", algorithm=MD5, nonce="n"'],
      challenges: [
        bare('digest', { realm: 'a', algorithm: 'SHA-256', nonce: 'n' }),
        bare('digest', { realm: 'a', algorithm: 'MD5', nonce: 'n' }),
      ],
    },
    {
      from: 'our leniency: a comma between the scheme and its first parameter',
      lines: ['Basic, realm="foo"'],
      challenges: [bare('basic', { realm: 'foo' })],
    },
    { from: 'RFC 9110 §5.6.1.2, a line with nothing on it', lines: ['', ' , '], challenges: [] },
    { from: 'no line at all', lines: [], challenges: [] },
  ])('are read: $from', ({ lines, challenges }) => {
    expect(read(...lines)).toEqual({ challenges, faults: [] });
  });

  test('keep their parameters under names that every object has', () => {
    const line = 'Basic __proto__=a, constructor=b, tostring=c';
    const [challenge] = read(line).challenges;
    expect(challenge?.params).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
      ['tostring', 'c'],
    ]);
  });

  const HEAD = 'an auth-scheme or a name=value parameter';
  test.each([
    { why: 'a parameter before any scheme', line: 'realm="foo"', at: 0, expected: HEAD },
    { why: 'a quoted-string that does not end', line: 'Basic realm="foo', at: 0, expected: HEAD },
    { why: 'the same in a later element', line: 'Basic realm="foo", title="bar', at: 19, expected: HEAD },
    { why: 'a quoted-string that ends in a backslash', line: 'Basic realm="foo\\', at: 0, expected: HEAD },
    { why: 'text after a quoted-string', line: 'NTLM, Basic realm="foo"bar', at: 6, expected: HEAD },
    { why: 'no comma between parameters', line: 'Basic realm="foo" charset=UTF-8', at: 0, expected: HEAD },
    { why: 'a value that is no token', line: 'Basic realm=\\f\\o\\o', at: 0, expected: HEAD },
    { why: 'a parameter without a value', line: 'Digest qop=auth, that=, nonce=x', at: 17, expected: HEAD },
    { why: 'a parameter after a token68', line: 'NTLM abc, realm="foo"', at: 10, expected: HEAD },
    { why: 'two token68', line: 'NTLM abc def', at: 0, expected: HEAD },
    { why: 'a character that no scheme has', line: 'Basic realm="foo", (comment)', at: 19, expected: HEAD },
    { why: 'a line feed', line: 'Basic\r\n realm="foo"', at: 0, expected: HEAD },
    { why: 'a NUL in a quoted-string', line: 'Basic realm="\0"', at: 0, expected: HEAD },
    { why: 'an escaped line feed in a quoted-string', line: 'Basic realm="\\\n"', at: 0, expected: HEAD },
    { why: 'what is no byte in a quoted-string', line: 'Basic realm="\u010a"', at: 0, expected: HEAD },
    {
      why: 'a parameter twice (RFC 9110 §11.2)',
      line: 'Basic realm="foo", realm="bar"',
      at: 19,
      expected: 'only one realm parameter',
    },
    {
      why: 'a parameter twice in different case',
      line: 'Basic Realm=a,x=y,rEALM=a',
      at: 18,
      expected: 'only one realm parameter',
    },
  ])('have a fault with its place: $why', ({ line, at, expected }) => {
    expect(read(line)).toEqual({ challenges: [], faults: [{ at, expected }] });
  });

  test('of other lines still count when one line has a fault, and none of that line', () => {
    expect(read('NTLM', 'Negotiate, Basic realm="', 'Basic realm="foo"')).toEqual({
      challenges: [bare('ntlm'), bare('basic', { realm: 'foo' })],
      faults: [{ at: 11, expected: HEAD }],
    });
  });
});

describe('credentials', () => {
  test.each([
    {
      from: 'RFC 7617 §2',
      line: 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==',
      expected: token('basic', 'QWxhZGRpbjpvcGVuIHNlc2FtZQ=='),
    },
    { from: 'RFC 6750 §2.1', line: 'Bearer mF_9.B5f-4.1JqM', expected: token('bearer', 'mF_9.B5f-4.1JqM') },
    {
      from: 'RFC 9110 §11.4, parameters',
      line: 'digest Username="Mufasa", uri="/a,b=c", nc=00000001',
      expected: bare('digest', { username: 'Mufasa', uri: '/a,b=c', nc: '00000001' }),
    },
    { from: 'RFC 9110 §11.4, a scheme alone', line: 'Negotiate ', expected: bare('negotiate') },
  ])('are read: $from', ({ line, expected }) => {
    const parsed = parseCredentials(line);
    expect(parsed.ok && plain(parsed.credentials)).toEqual(expected);
  });

  test.each([
    { why: 'nothing', line: '', at: 0, expected: 'credentials' },
    { why: 'commas only', line: ' , ', at: 0, expected: 'credentials' },
    { why: 'two sets of them', line: 'Basic YTpi, NTLM abc', at: 12, expected: 'one set of credentials, found two' },
    { why: 'two of one scheme', line: 'Basic YTpi,Basic YTpi', at: 11, expected: 'one set of credentials, found two' },
    { why: 'a parameter twice', line: 'Digest nc=1, nc=2', at: 13, expected: 'only one nc parameter' },
    { why: 'no scheme', line: '"YTpi"', at: 0, expected: 'an auth-scheme or a name=value parameter' },
  ])('have a fault with its place: $why', ({ line, at, expected }) => {
    expect(parseCredentials(line)).toEqual({ ok: false, fault: { at, expected } });
  });
});

describe('a line of a megabyte', () => {
  // Each is the worst for one pattern. One that backtracks more than once over its input does not end in a lifetime,
  // one that spends stack on each turn throws.
  test.each([
    { name: 'a quoted-string', line: `B r="${'a'.repeat(MEGABYTE)}"`, list: 1 },
    { name: 'a quoted-string of quoted-pairs', line: `B r="${'\\a'.repeat(MEGABYTE / 2)}"`, list: 1 },
    { name: 'a token68', line: `B ${'a'.repeat(MEGABYTE)}`, list: 1 },
    { name: 'empty list elements', line: ', '.repeat(MEGABYTE / 2), list: 0 },
    { name: 'schemes', line: 'a,'.repeat(MEGABYTE / 2), list: MEGABYTE / 2 },
  ])('is read: $name', ({ line, list }) => {
    const { challenges, faults } = parseChallenges([line]);
    expect([challenges.length, faults]).toEqual([list, []]);
  });

  test.each([
    { name: 'a quoted-string that does not end', line: `B r="${'a'.repeat(MEGABYTE)}` },
    { name: 'quoted-pairs that do not end', line: `B r="${'\\"'.repeat(MEGABYTE / 2)}` },
    { name: 'quotes only', line: `B r=${'"'.repeat(MEGABYTE)}` },
    { name: 'a token68 with a tail that is none', line: `B ${'a'.repeat(MEGABYTE)}"` },
    { name: 'a token68, spaces and a tail', line: `B ${'a'.repeat(MEGABYTE / 2)}${' '.repeat(MEGABYTE / 2)}"` },
    { name: 'padding with a tail', line: `B a${'='.repeat(MEGABYTE)}"` },
    { name: 'spaces with a tail', line: `a${' '.repeat(MEGABYTE)}"` },
    { name: 'bad white space with a tail', line: `B a${' '.repeat(MEGABYTE / 2)}=${' '.repeat(MEGABYTE / 2)}"` },
    { name: 'empty list elements with a tail', line: `${', '.repeat(MEGABYTE / 2)}"` },
  ])('is refused: $name', ({ line }) => {
    const { challenges, faults } = parseChallenges([line]);
    expect([challenges.length, faults.length]).toEqual([0, 1]);
  });
});

describe('messages on the wire', () => {
  test.each([
    [withParams('basic', [['realm', 'a "b" \\c']]), 'Basic realm="a \\"b\\" \\\\c"'],
    [withToken('ntlm', 'TlRM='), 'NTLM TlRM='],
    [withParams('negotiate'), 'Negotiate'],
    [
      withParams('digest', [
        ['realm', ''],
        ['nonce', 'x'],
      ]),
      'Digest realm="", nonce="x"',
    ],
  ] as const)('are %j', (message, line) => {
    expect(formatMessage(message)).toBe(line);
  });

  test('name their scheme as it is registered', () => {
    expect((['basic', 'digest', 'ntlm', 'negotiate', 'bearer'] as const).map(spellScheme)).toEqual([
      'Basic',
      'Digest',
      'NTLM',
      'Negotiate',
      'Bearer',
    ]);
  });

  test.each([...Array(0x20).keys(), 0x7f].filter((code) => code !== 0x09))('hold no control character %i', (code) => {
    expect(() => quote(`a${String.fromCharCode(code)}b`)).toThrow(AuthError);
  });

  test('hold a tab, which a quoted-string may', () => {
    expect(quote('\t')).toBe('"\t"');
  });

  test('hold no character that would be a line feed once it is cut down to a byte', () => {
    expect(() => quote('\u010d\u010aX: 1')).toThrow(AuthError);
    expect(() => quote('\u{1f512}')).toThrow(AuthError);
  });

  // The attack: a token from a file, or a name from a peer, that brings its own header line.
  test.each<[string, AuthMessage]>([
    ['a token68 with a line feed', withToken('bearer', 'secret\r\nX-Injected: 1')],
    ['a token68 with a line feed at its end', withToken('bearer', 'secret\n')],
    ['an empty token68', withToken('bearer', '')],
    ['a parameter name with a line feed', withParams('digest', [['a\r\nb', 'c']])],
    ['a parameter value with a line feed', withParams('digest', [['a', 'b\r\nc']])],
    ['a scheme with a space', withParams('a b' as SchemeName)],
    ['an empty scheme', withParams('')],
  ])('are refused, and not shown: %s', (_name, message) => {
    expect(() => formatMessage(message)).toThrow(expect.objectContaining({ code: 'ERR_AUTH_INVALID_VALUE' }));
    expect(() => formatMessage(message)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('secret') }),
    );
  });
});

describe('properties', () => {
  const characters = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, i) => String.fromCharCode(from + i));
  const LOWER = [...characters(0x61, 0x7a), ...characters(0x30, 0x39), ..."!#$%&'*+-.^_`|~"];
  const name = fc.string({ unit: fc.constantFrom(...LOWER), minLength: 1 }) as fc.Arbitrary<SchemeName>;
  const value = fc.string({
    unit: fc.oneof(
      fc.constantFrom('"', '\\', ',', '=', ' ', '\t'),
      fc.constantFrom(...characters(0x20, 0x7e), ...characters(0x80, 0xff)),
    ),
  });
  const token68 = fc
    .tuple(
      fc.string({
        unit: fc.constantFrom(...characters(0x41, 0x5a), ...characters(0x61, 0x7a), ...'09-._~+/'),
        minLength: 1,
      }),
      fc.nat(3),
    )
    .map(([text, padding]) => text + '='.repeat(padding));
  const message = fc.oneof(
    fc.tuple(name, token68).map(([scheme, text]) => withToken(scheme, text)),
    fc
      .tuple(name, fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key, maxLength: 5 }))
      .map(([scheme, params]) => withParams(scheme, params)),
  );

  test('what is written is read as it was, on one line and on many', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 4 }), (messages) => {
        const lines = messages.map(formatMessage);
        const expected = { challenges: messages.map(plain), faults: [] };
        expect(read(...lines)).toEqual(expected);
        expect(read(lines.join(', '))).toEqual(expected);
      }),
    );
  });

  test('what is written as credentials is read as they were', () => {
    fc.assert(
      fc.property(message, (credentials) => {
        const parsed = parseCredentials(formatMessage(credentials));
        expect(parsed.ok && plain(parsed.credentials)).toEqual(plain(credentials));
      }),
    );
  });

  test('what is read can be written, and is then read as the same', () => {
    const almost = fc.string({ unit: fc.constantFrom(...'Aab1= \t,"\\/+\xe4') });
    fc.assert(
      fc.property(almost, (line) => {
        const { challenges } = parseChallenges([line]);
        const again = parseChallenges([challenges.map(formatMessage).join(', ')]);
        expect([again.challenges.map(plain), again.faults]).toEqual([challenges.map(plain), []]);
      }),
      { numRuns: 2000 },
    );
  });

  test('no line makes the reader throw, and each is either read or has a fault within it', () => {
    const anything = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...'Aa= \t,"\\\n\0\xe4') }),
    );
    fc.assert(
      fc.property(anything, (line) => {
        const parsed = parseCredentials(line);
        const { challenges, faults } = parseChallenges([line, 'NTLM']);
        expect(faults.length).toBeLessThanOrEqual(1);
        for (const { at } of parsed.ok ? faults : [...faults, parsed.fault]) {
          expect(at).toBeLessThanOrEqual(line.length);
        }
        expect(challenges.at(-1)).toEqual(withParams('ntlm'));
      }),
      { numRuns: 2000 },
    );
  });
});
