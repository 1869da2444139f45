import { join } from 'node:path';
import { Secret } from '@chain407/auth';
import { describe, expect, test } from '@jest/globals';
import type { UserEntry } from '../src/users/load-users.ts';
import { fromHash, hashPassword } from '../src/users/password-hash.ts';
import { UserStore } from '../src/users/user-store.ts';
import { FOLDER, inline, problemsOf, userFile, usersOf } from './stored-users.ts';

// Written by Apache's htpasswd for the password "Wonderland-1", with -B -C 5, -m and -s.
const BCRYPT = '$2y$05$61vdtUc3LizjF.f779uAzOUGlmOsKvUsJqZIKo9Kx.4rAH73O9Db6';
const APR1 = '$apr1$jdc3ksGD$twCWta6GXjq/bPlqalRim0';
const SHA = '{SHA}gfMSLuILzOFVOESOj8o5F4A3MA8=';

describe('a stored password', () => {
  test.each([
    ['bcrypt', BCRYPT],
    ['apr1', APR1],
    ['{SHA}', SHA],
  ])('of the kind %s takes the right password and no other', async (_kind, hash) => {
    const stored = fromHash(hash);
    expect(await stored?.matches(new Secret('Wonderland-1'))).toBe(true);
    for (const wrong of ['wonderland-1', 'Wonderland-', ''])
      expect(await stored?.matches(new Secret(wrong))).toBe(false);
  });

  test.each(['plain', '', '$2b$99$abc', '$1$salt$x', '{SHA}short', 'rqXexS6ZhobKA'])(
    '%j is no hash that we know',
    (text) => {
      expect(fromHash(text)).toBeUndefined();
    },
  );

  test('bcrypt looks at 72 bytes: a longer password is never right', async () => {
    const stored = fromHash(await hashPassword(new Secret('x'.repeat(72))));
    expect(await stored?.matches(new Secret('x'.repeat(72)))).toBe(true);
    expect(await stored?.matches(new Secret(`${'x'.repeat(72)}y`))).toBe(false);
  });
});

describe('the users of a tier', () => {
  test('come from the configuration, with their groups, and from htpasswd files', async () => {
    const users = usersOf([
      inline('alice', 'secret-horse'),
      { htpasswd: userFile(`# staff\r\n\r\nbob:${SHA}\r\nbob:${APR1}\n`), groups: [] },
    ]);
    expect(await users.check('alice', new Secret('secret-horse'))).toEqual({ name: 'alice', groups: ['staff'] });
    expect(await users.check('bob', new Secret('Wonderland-1'))).toMatchObject({ name: 'bob' });
    expect(await users.check('bob', new Secret('wrong'))).toBeUndefined();
    expect(await users.check('eve', new Secret('Wonderland-1'))).toBeUndefined();
  });

  test('names and passwords are compared after NFC', async () => {
    const users = usersOf([inline('j\u00f6rg', 'p\u00e4ss')]);
    expect(await users.check('jo\u0308rg', new Secret('p\u00e4ss'))).toMatchObject({ name: 'j\u00f6rg' });
  });

  test.each([
    ['a name twice', [inline('a', 'x'), inline('a', 'y')], 'users[1]'],
    ['a name with a colon', [inline('a:b', 'x')], 'users[0].name'],
    ['a password with control characters', [inline('a', 'x\u0001')], 'users[0].password'],
    ['a file that is not there', [{ htpasswd: join(FOLDER, 'none'), groups: [] }], 'users[0].htpasswd'],
    ['a line of no known kind', [{ htpasswd: userFile('a:plain\n'), groups: [] }], 'users[0].htpasswd'],
    ['a hash of no known kind', [{ name: 'a', hash: 'plain', groups: [] }], 'users[0].hash'],
  ] as [string, UserEntry[], string][])('%s is a problem at its place', (_what, entries, path) => {
    expect(problemsOf(entries).map((problem) => problem.split(':', 1)[0])).toEqual([path]);
  });
});

describe('what was verified', () => {
  /** A user whose password is checked by hand. */
  function store(now: () => number) {
    const asked: ((good: boolean) => void)[] = [];
    const hash = { cost: 1, matches: () => new Promise<boolean>((resolve) => asked.push(resolve)) };
    const proofs = [{ proof: { kind: 'hash', hash }, place: 'users[0]' }] as const;
    return { asked, users: new UserStore([{ user: { name: 'alice', groups: [] }, proofs }], now) };
  }

  test('is good for a minute without being verified again, and then is', async () => {
    let now = 0;
    const { asked, users } = store(() => now);
    const first = users.check('alice', new Secret('x'));
    asked[0]?.(true);
    expect(await first).toMatchObject({ name: 'alice' });
    expect(users.check('alice', new Secret('x'))).toEqual({ name: 'alice', groups: [] });
    now = 60_001;
    expect(users.check('alice', new Secret('x'))).toBeInstanceOf(Object);
    expect(asked).toHaveLength(2);
  });

  test('twice at once is verified once', async () => {
    const { asked, users } = store(() => 0);
    const both = [users.check('alice', new Secret('x')), users.check('alice', new Secret('x'))];
    expect(asked).toHaveLength(1);
    asked[0]?.(true);
    expect(await Promise.all(both)).toMatchObject([{ name: 'alice' }, { name: 'alice' }]);
  });

  test('a wrong password is never remembered as good, nor taken for another name', async () => {
    const { asked, users } = store(() => 0);
    const wrong = users.check('alice', new Secret('x'));
    asked[0]?.(false);
    expect(await wrong).toBeUndefined();
    void users.check('alice', new Secret('x'));
    expect(asked).toHaveLength(2);
  });

  test('an unknown user costs a verification too', () => {
    const { asked, users } = store(() => 0);
    void users.check('eve', new Secret('x'));
    expect(asked).toHaveLength(1);
  });
});
