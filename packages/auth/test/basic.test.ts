import { runInNewContext } from 'node:vm';
import type { CheckPassword, ClientRequestFacts, Credentials, Principal, VerifierTurn } from '@chain407/auth';
import {
  AuthError,
  basicChallenge,
  basicClient,
  basicVerifier,
  decodeBasic,
  describeCredentials,
  encodeBasic,
  formatMessage,
  parseChallenges,
  parseCredentials,
  Secret,
  unusablePassword,
  unusableUserId,
  withParams,
  withToken,
} from '@chain407/auth';
import { describe, expect, test } from '@jest/globals';

const REQUEST: ClientRequestFacts = { method: 'GET', target: 'http://origin.test/', peerHost: 'proxy.test' };

/** The bytes of credentials as another client would send them. */
const bytes = (text: string, encoding: BufferEncoding): Credentials =>
  withToken('basic', Buffer.from(text, encoding).toString('base64'));

function decoded(credentials: Credentials): readonly [string, string] | string {
  const result = decodeBasic(credentials);
  return result.ok ? [result.userPass.username, result.userPass.password.reveal()] : result.why;
}

/** Knows one user. */
const only =
  (username: string, password: string): CheckPassword =>
  (name, secret) =>
    name === username && secret.reveal() === password ? { name } : undefined;

/** Client against verifier, by header lines only: what each says, and how it ends. */
async function converse(username: string, password: string, check: CheckPassword, realm = 'lab'): Promise<string[]> {
  const client = basicClient(username, new Secret(password));
  const verifier = basicVerifier(realm, check);
  const transcript: string[] = [];
  let state: 'sent' | undefined;
  for (;;) {
    const asked = verifier.offer().map(formatMessage).join(', ');
    transcript.push(`407 ${asked}`);
    const answer = await client.answer(parseChallenges([asked]).challenges, REQUEST, state);
    if (answer.kind === 'refuse') return [...transcript, `${answer.reason}: ${answer.detail}`];
    state = answer.state;
    const line = formatMessage(answer.credentials);
    transcript.push(line);
    const parsed = parseCredentials(line);
    if (!parsed.ok) return [...transcript, `400 ${parsed.fault.expected}`];
    const turn = await verifier.judge(parsed.credentials, REQUEST, undefined);
    if (turn.kind === 'accept') return [...transcript, `200 ${turn.principal.name}`];
    if (turn.kind === 'malformed') return [...transcript, `400 ${turn.log}`];
  }
}

describe('the examples of RFC 7617', () => {
  test('§2: a challenge and its answer', () => {
    expect(parseChallenges(['Basic realm="WallyWorld"']).challenges).toEqual([
      withParams('basic', [['realm', 'WallyWorld']]),
    ]);
    const credentials = encodeBasic('Aladdin', new Secret('open sesame'));
    expect(formatMessage(credentials)).toBe('Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==');
    expect(decoded(credentials)).toEqual(['Aladdin', 'open sesame']);
  });

  test('§2.1: the challenge with charset, and its answer in UTF-8', () => {
    expect(parseChallenges(['Basic realm="foo", charset="UTF-8"']).challenges).toEqual([basicChallenge('foo')]);
    const credentials = encodeBasic('test', new Secret('123\u00a3'));
    expect(formatMessage(credentials)).toBe('Basic dGVzdDoxMjPCow==');
    expect(decoded(credentials)).toEqual(['test', '123\u00a3']);
  });
});

describe('client and verifier, by what they say to each other', () => {
  const ASKED = '407 Basic realm="lab", charset="UTF-8"';
  const LATE =
    (check: CheckPassword): CheckPassword =>
    async (name, password) =>
      check(name, password);
  const good = [
    { name: 'a plain password', username: 'Aladdin', password: 'open sesame', line: 'QWxhZGRpbjpvcGVuIHNlc2FtZQ==' },
    {
      name: 'colons in the password',
      username: 'alice',
      password: ':open:sesame:',
      line: 'YWxpY2U6Om9wZW46c2VzYW1lOg==',
    },
    { name: 'no password', username: 'alice', password: '', line: 'YWxpY2U6' },
    { name: 'no user name', username: '', password: 'secret', line: 'OnNlY3JldA==' },
    { name: 'neither', username: '', password: '', line: 'Og==' },
    { name: 'a domain', username: 'CORP\\alice', password: 'secret', line: 'Q09SUFxhbGljZTpzZWNyZXQ=' },
    {
      name: 'what is not ASCII',
      username: 'J\u00e4s\u00f8n',
      password: '\u20ac\u{1f512}',
      line: 'SsOkc8O4bjrigqzwn5SS',
    },
  ];

  test.each(good)('let in $name, and the other side reads what was meant', async ({ username, password, line }) => {
    const transcript = [ASKED, `Basic ${line}`, `200 ${username}`];
    expect(await converse(username, password, only(username, password))).toEqual(transcript);
    expect(await converse(username, password, LATE(only(username, password)))).toEqual(transcript);
    expect(decoded(withToken('basic', line))).toEqual([username, password]);
  });

  test('give up after one attempt with a wrong password: the second 407 is a rejection', async () => {
    const transcript = [ASKED, 'Basic YWxpY2U6d3Jvbmc=', ASKED, 'rejected: user name or password not accepted'];
    expect(await converse('alice', 'wrong', only('alice', 'right'))).toEqual(transcript);
    expect(await converse('alice', 'wrong', LATE(only('alice', 'right')))).toEqual(transcript);
  });

  test('do not mind what the realm holds', async () => {
    const transcript = await converse('a', 'b', only('a', 'b'), 'the "lab" \\ caf\xe9');
    expect(transcript.at(0)).toBe('407 Basic realm="the \\"lab\\" \\\\ caf\xe9", charset="UTF-8"');
    expect(transcript.at(-1)).toBe('200 a');
  });

  test.each([
    {
      name: 'a colon in the user name',
      username: 'a:b',
      password: 'c',
      why: 'Basic cannot carry a user name with a colon',
    },
    {
      name: 'a line feed in the user name',
      username: 'a\nb',
      password: 'c',
      why: 'the user name holds control characters',
    },
    {
      name: 'a C1 control in the user name',
      username: 'a\x9bb',
      password: 'c',
      why: 'the user name holds control characters',
    },
    { name: 'a NUL in the password', username: 'a', password: '\0', why: 'the password holds control characters' },
    { name: 'a delete in the password', username: 'a', password: '\x7f', why: 'the password holds control characters' },
  ])('say nothing at all with $name', async ({ username, password, why }) => {
    expect(unusableUserId(username) ?? unusablePassword(new Secret(password))).toBe(why);
    expect(await converse(username, password, () => ({ name: 'anyone' }))).toEqual([ASKED, `unsupported: ${why}`]);
  });
});

describe('text that is not ASCII', () => {
  const COMPOSED = 'caf\u00e9';
  const DECOMPOSED = 'cafe\u0301';

  test('is sent in NFC, whichever form it was given in (RFC 7617 §2.1)', () => {
    const composed = encodeBasic(COMPOSED, new Secret(COMPOSED));
    expect(encodeBasic(DECOMPOSED, new Secret(DECOMPOSED))).toEqual(composed);
    expect(composed).toEqual(bytes(`${COMPOSED}:${COMPOSED}`, 'utf8'));
  });

  test('is read into NFC, whichever form a client sends', () => {
    expect(decoded(bytes(`${DECOMPOSED}:${DECOMPOSED}`, 'utf8'))).toEqual([COMPOSED, COMPOSED]);
  });

  test('is taken for ISO 8859-1 where it is no UTF-8 (RFC 7617, Appendix B.3)', () => {
    expect(decoded(bytes('test:123\u00a3', 'latin1'))).toEqual(['test', '123\u00a3']);
    expect(decoded(bytes(`${COMPOSED}:x`, 'latin1'))).toEqual([COMPOSED, 'x']);
  });

  test('is a wrong password and not a fault where a client sends the euro sign of Windows', () => {
    expect(decoded(bytes('alice:\x80', 'latin1'))).toEqual(['alice', '\x80']);
  });

  test('keeps a byte order mark, which is a character of the name as well', () => {
    expect(decoded(bytes('\ufeffalice:x', 'utf8'))).toEqual(['\ufeffalice', 'x']);
  });
});

describe('credentials that are not Basic at all', () => {
  const NO_BASE64 = 'Basic credentials that are no base64';
  const CONTROLS = 'Basic credentials with control characters';

  test.each<[string, Credentials, string]>([
    ['parameters', withParams('basic', [['user', 'x']]), 'Basic credentials without a token'],
    ['nothing', withParams('basic'), 'Basic credentials without a token'],
    ['the alphabet of URLs', withToken('basic', 'YTo_Pz8-'), NO_BASE64],
    ['one character too many', withToken('basic', 'YTpiY'), NO_BASE64],
    ['padding that does not fit', withToken('basic', 'YTpi='), NO_BASE64],
    ['too much padding', withToken('basic', 'YTo==='), NO_BASE64],
    ['padding in the middle', withToken('basic', 'YTo=YTo='), NO_BASE64],
    ['a user name and password in the clear', withToken('basic', 'alice.secret'), NO_BASE64],
    ['no colon', bytes('alice', 'utf8'), 'Basic credentials without a colon'],
    ['a line feed in the user name', bytes('al\nice:x', 'utf8'), CONTROLS],
    ['a NUL in the password', bytes('alice:\0', 'utf8'), CONTROLS],
    ['a delete in the password', bytes('alice:\x7f', 'utf8'), CONTROLS],
    ['a C1 control in the user name, which would steer a terminal', bytes('al\x9b2Jice:x', 'utf8'), CONTROLS],
    ['the same in ISO 8859-1', bytes('al\x9b2Jice:x', 'latin1'), CONTROLS],
  ])('are malformed, and no password is checked: %s', (_name, credentials, why) => {
    const checked: string[] = [];
    const verifier = basicVerifier('lab', (name) => {
      checked.push(name);
      return { name };
    });
    expect(verifier.judge(credentials, REQUEST, undefined)).toEqual({ kind: 'malformed', log: why });
    expect(checked).toEqual([]);
  });

  test('are read where only their padding is missing', () => {
    expect(decoded(withToken('basic', 'YTo'))).toEqual(['a', '']);
    expect(decoded(withToken('basic', 'Og'))).toEqual(['', '']);
  });

  test('of a megabyte are read, or refused, like short ones', () => {
    const long = 'QUFB'.repeat(1 << 18);
    expect(decoded(withToken('basic', long))).toBe('Basic credentials without a colon');
    expect(decoded(withToken('basic', `${long}!`))).toBe(NO_BASE64);
  });
});

describe('the verifier', () => {
  const alice = encodeBasic('alice', new Secret('secret'));
  const accepted: VerifierTurn = { kind: 'accept', principal: { name: 'alice' } };
  const rejected: VerifierTurn = { kind: 'reject', user: 'alice', log: 'unknown user or wrong password' };

  test('answers at once where the password check does', () => {
    expect(basicVerifier('lab', only('alice', 'secret')).judge(alice, REQUEST, undefined)).toEqual(accepted);
    expect(basicVerifier('lab', only('alice', 'other')).judge(alice, REQUEST, undefined)).toEqual(rejected);
  });

  test('waits where the password check does', async () => {
    const turn = basicVerifier('lab', async () => undefined).judge(alice, REQUEST, undefined);
    expect(turn).toBeInstanceOf(Promise);
    expect(await turn).toEqual(rejected);
  });

  // The attack needs nobody: a check that promises "no" with a promise of another realm is taken for a yes.
  test('waits for a promise of another realm, too', async () => {
    const foreign = runInNewContext('Promise.resolve(undefined)') as Promise<Principal | undefined>;
    expect(foreign).not.toBeInstanceOf(Promise);
    expect(await basicVerifier('lab', () => foreign).judge(alice, REQUEST, undefined)).toEqual(rejected);
  });

  test('lets no one in when the password check fails', async () => {
    const down = new Error('directory down');
    const verifier = basicVerifier('lab', () => Promise.reject(down));
    await expect(verifier.judge(alice, REQUEST, undefined)).rejects.toBe(down);
  });

  test.each(['line\r\nfeed', 'lock \u{1f512}'])(
    'refuses the realm %j when it is made, not at the first 407',
    (realm) => {
      expect(() => basicVerifier(realm, () => undefined)).toThrow(AuthError);
    },
  );
});

describe('credentials that are shown', () => {
  test('have their user name and not their password', () => {
    const shown = describeCredentials(encodeBasic('alice', new Secret('open sesame')));
    expect(shown).toEqual({ scheme: 'Basic', fields: { username: 'alice', password: '[secret]' } });
  });

  test('are masked where they cannot be read, or are of a scheme that is not known', () => {
    expect(describeCredentials(bytes('sesame', 'utf8'))).toEqual({
      scheme: 'Basic',
      fields: { malformed: 'Basic credentials without a colon' },
    });
    expect(describeCredentials(withToken('vapid', 'sesame'))).toEqual({
      scheme: 'Vapid',
      fields: { credentials: '[secret]' },
    });
  });
});
