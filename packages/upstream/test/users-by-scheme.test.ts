import { Secret } from '@chain407/auth';
import { describe, expect, test } from '@jest/globals';
import type { UserEntry } from '../src/users/load-users.ts';
import { inline, REALM, userFile, usersOf, value } from './stored-users.ts';

describe('Digest', () => {
  // RFC 2617 §3.5: name, realm and password; the HA1 of openssl, from which the response that is printed there follows.
  const MUFASA = inline('Mufasa', 'Circle Of Life');
  const MUFASA_HA1 = '939e7578ed9e3c518a452acee763bce9';
  // From `printf %s 'Mufasa:testrealm@host.com:Circle Of Life' | openssl dgst -sha256`, and -sha512-256.
  const SHA_256 = '3ba6cd94661c5ef34598040c868f13b8775df29109986be50ad35ae537dd3aa4';
  const SHA_512_256 = '4f89a1c293dd533bc27546c1da0608df9efcaa6bd1c350edca70a01c8a823360';

  test.each([
    ['MD5', MUFASA_HA1],
    ['MD5-sess', MUFASA_HA1],
    ['SHA-256', SHA_256],
    ['SHA-256-sess', SHA_256],
    ['SHA-512-256', SHA_512_256],
    ['SHA-512-256-sess', SHA_512_256],
  ] as const)('gets the HA1 of a password for %j', (algorithm, ha1) => {
    const found = usersOf([MUFASA]).digestAccount({ username: 'Mufasa' }, algorithm, REALM);
    expect(found?.ha1.reveal()).toBe(ha1);
  });

  test('makes an HA1 once', () => {
    const users = usersOf([MUFASA]);
    const once = users.digestAccount({ username: 'Mufasa' }, 'MD5', REALM);
    expect(users.digestAccount({ username: 'Mufasa' }, 'MD5-sess', REALM)).toBe(once);
  });

  test('hashes name and password in NFC and UTF-8, whatever form they came in', () => {
    const composed = usersOf([inline('J\u00e4s', 'p\u00e4ss')]).digestAccount({ username: 'J\u00e4s' }, 'MD5', REALM);
    const decomposed = usersOf([inline('Ja\u0308s', 'pa\u0308ss')]).digestAccount(
      { username: 'Ja\u0308s' },
      'MD5',
      REALM,
    );
    expect(composed?.ha1.reveal()).toBe('9c3fd4a885ed2afb457bfb62f48c65bc');
    expect(decomposed?.ha1.reveal()).toBe(composed?.ha1.reveal());
  });

  test.each([
    // RFC 7616 §3.9.2 with erratum 4897.
    ['SHA-512-256', '793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b', true],
    ['SHA-512-256-sess', '793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b', true],
    // What §3.9.2 prints: the first half of SHA-512.
    ['SHA-512-256', '488869477bf257147b804c45308cd62ac4e25eb717b12b298c79e62dcea254ec', false],
    ['MD5', '793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b', false],
    ['SHA-512-256', 'J\u00e4s\u00f8n Doe', false],
  ] as const)('finds who hides behind a userhash of %s: %s', (algorithm, userhash, found) => {
    const users = usersOf([inline('J\u00e4s\u00f8n Doe', 'Secret, or not?')], 'api@example.org');
    const account = users.digestAccount({ userhash }, algorithm, 'api@example.org');
    expect(account?.principal.name).toBe(found ? 'J\u00e4s\u00f8n Doe' : undefined);
  });

  describe('from an htdigest file', () => {
    const file = (text: string): UserEntry => ({ htdigest: userFile(text), groups: ['lions'] });

    test.each([
      ['32 digits for MD5', `Mufasa:${REALM}:${MUFASA_HA1}\n`, 'MD5', MUFASA_HA1],
      ['capital digits', `Mufasa:${REALM}:${MUFASA_HA1.toUpperCase()}\n`, 'MD5', MUFASA_HA1],
      ['64 digits for SHA-256', `Mufasa:${REALM}:${SHA_256}\n`, 'SHA-256', SHA_256],
      ['64 digits never for SHA-512-256', `Mufasa:${REALM}:${SHA_512_256}\n`, 'SHA-512-256', undefined],
      ['nothing for MD5 from SHA-256', `Mufasa:${REALM}:${SHA_256}\n`, 'MD5', undefined],
      ['both kinds', `Mufasa:${REALM}:${MUFASA_HA1}\nMufasa:${REALM}:${SHA_256}\n`, 'SHA-256', SHA_256],
      ['the first of two', `Mufasa:${REALM}:${MUFASA_HA1}\nMufasa:${REALM}:${'0'.repeat(32)}\n`, 'MD5', MUFASA_HA1],
      ['the tier\u2019s realm', `Mufasa:x:${'0'.repeat(32)}\nMufasa:${REALM}:${MUFASA_HA1}\n`, 'MD5', MUFASA_HA1],
      ['comments and CR LF', `# x\r\n\r\nMufasa:${REALM}:${MUFASA_HA1}\r\n`, 'MD5', MUFASA_HA1],
    ] as const)('takes %s', (_what, text, algorithm, ha1) => {
      const found = usersOf([file(text)]).digestAccount({ username: 'Mufasa' }, algorithm, REALM);
      expect(found?.ha1.reveal()).toBe(ha1);
    });

    test('holds in its own realm only', () => {
      const users = usersOf([file(`Mufasa:${REALM}:${MUFASA_HA1}\n`)]);
      expect(users.digestAccount({ username: 'Mufasa' }, 'MD5', 'elsewhere')).toBeUndefined();
    });

    test('reads a realm with colons', () => {
      const users = usersOf([file(`Mufasa:a:b:${MUFASA_HA1}\n`)], 'a:b');
      expect(users.digestAccount({ username: 'Mufasa' }, 'MD5', 'a:b')?.principal).toEqual({
        name: 'Mufasa',
        groups: ['lions'],
      });
    });
  });
});

describe('NTLM', () => {
  // MS-NLMP §4.2.1 and §4.2.2.1.1.
  const NT_HASH = 'a4f49c406510bdcab6824ee7c30fd852';
  const withHash = (name: string): UserEntry => ({ name, ntHash: value(NT_HASH.toUpperCase()), groups: [] });

  test.each([
    ['a password', inline('User', 'Password')],
    ['an NT hash', withHash('User')],
  ])('gets the NT hash from %s', (_what, entry) => {
    expect(usersOf([entry]).ntAccount('Domain', 'User')?.ntHash.reveal()).toBe(NT_HASH);
  });

  test('makes a hash once', () => {
    const users = usersOf([inline('User', 'Password')]);
    expect(users.ntAccount('', 'user')).toBe(users.ntAccount('D', 'User'));
  });

  test.each([
    ['alice', '', 'alice', true],
    ['alice', 'CORP', 'ALICE', true],
    ['alice', 'ANY', 'Alice', true],
    ['alice', '', 'alice@corp.example', true],
    ['alice', '', 'bob', false],
    ['CORP\\alice', 'corp', 'Alice', true],
    ['CORP\\alice', '', 'alice@Corp', true],
    ['CORP\\alice', 'OTHER', 'alice', false],
    ['CORP\\alice', '', 'alice', false],
    ['alice@corp.example', '', 'Alice@CORP.example', true],
    ['alice@corp.example', 'corp.example', 'alice', true],
    ['alice@corp.example', '', 'alice', false],
    ['alice@corp.example', '', 'alice@other.example', false],
    ['j\u00f6rg', '', 'JO\u0308RG', true],
  ])('knows %j when a client says domain %j, user %j: %j', (name, domain, user, known) => {
    expect(usersOf([withHash(name)]).ntAccount(domain, user)?.principal.name).toBe(known ? name : undefined);
  });

  test('takes the user of the domain before one of any domain', () => {
    const users = usersOf([withHash('alice'), withHash('CORP\\alice')]);
    expect(users.ntAccount('corp', 'alice')?.principal.name).toBe('CORP\\alice');
    expect(users.ntAccount('other', 'alice')?.principal.name).toBe('alice');
  });
});

describe('Bearer', () => {
  const users = usersOf([
    { name: 'build', token: value('aGk.-_~+/=='), groups: ['ci'] },
    inline('alice', 'not-a-token'),
  ]);

  test.each([
    ['aGk.-_~+/==', 'build'],
    ['aGk.-_~+/=', undefined],
    ['AGK.-_~+/==', undefined],
    ['not-a-token', undefined],
    ['', undefined],
  ])('the token %j is that of %j', (token, name) => {
    expect(users.tokenUser(new Secret(token))?.name).toBe(name);
  });
});

describe('a name in several entries', () => {
  const entries: UserEntry[] = [
    { htpasswd: userFile('alice:{SHA}gfMSLuILzOFVOESOj8o5F4A3MA8=\n'), groups: ['staff'] },
    { htdigest: userFile(`alice:${REALM}:${'1'.repeat(32)}\n`), groups: ['staff', 'digest'] },
    { name: 'alice', ntHash: value('2'.repeat(32)), groups: [] },
    { name: 'alice', token: value('abc'), groups: ['ci'] },
  ];

  test('is one user, of the groups of all, to each scheme', async () => {
    const users = usersOf(entries);
    const alice = { name: 'alice', groups: ['staff', 'digest', 'ci'] };
    expect(await users.check('alice', new Secret('Wonderland-1'))).toEqual(alice);
    expect(users.digestAccount({ username: 'alice' }, 'MD5', REALM)?.principal).toEqual(alice);
    expect(users.ntAccount('', 'alice')?.principal).toEqual(alice);
    expect(users.tokenUser(new Secret('abc'))).toEqual(alice);
  });

  test('shows no secret when it is printed', () => {
    const shown = JSON.stringify(usersOf(entries).accounts);
    for (const secret of ['1'.repeat(32), '2'.repeat(32), 'abc', 'gfMSLu']) expect(shown).not.toContain(secret);
  });
});

describe('a hash serves its own scheme only', () => {
  test.each([
    ['an NT hash', { name: 'a', ntHash: value('2'.repeat(32)), groups: [] }, ['ntlm']],
    ['an htdigest line', { htdigest: userFile(`a:${REALM}:${'1'.repeat(64)}\n`), groups: [] }, ['digest']],
    ['a token', { name: 'a', token: value('x'), groups: [] }, ['bearer']],
    ['a bcrypt hash', { name: 'a', hash: `$2b$12$${'x'.repeat(53)}`, groups: [] }, ['basic']],
    ['a password', inline('a', 'x'), ['basic', 'digest', 'ntlm']],
  ] as [string, UserEntry, string[]][])('%s', (_what, entry, schemes) => {
    const users = usersOf([entry]);
    const all = ['basic', 'digest', 'ntlm', 'bearer', 'negotiate'];
    expect(all.filter((scheme) => users.serves(scheme))).toEqual(schemes);
  });
});
