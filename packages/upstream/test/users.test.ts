import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '@chain407/auth';
import { describe, expect, test } from '@jest/globals';
import type { UserEntry } from '../src/users/load-users.ts';
import { loadUsers } from '../src/users/load-users.ts';
import { fromHash, hashPassword } from '../src/users/password-hash.ts';
import type { StoredUser } from '../src/users/user-store.ts';
import { UserStore } from '../src/users/user-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'chain407-users-'));
let files = 0;
function htpasswd(text: string): string {
  files += 1;
  const path = join(folder, `${files}`);
  writeFileSync(path, text);
  return path;
}

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
  const load = (entries: UserEntry[]) => loadUsers(entries);
  const inline = (name: string, password: string): UserEntry => ({
    name,
    password: { kind: 'value', secret: new Secret(password) },
    groups: ['staff'],
  });

  test('come from the configuration, with their groups, and from htpasswd files', async () => {
    const loaded = load([
      inline('alice', 'secret-horse'),
      { htpasswd: htpasswd(`# staff\r\n\r\nbob:${SHA}\r\nbob:${APR1}\n`), groups: [] },
    ]);
    if (!loaded.ok) throw new Error('expected users');
    expect(await loaded.users.check('alice', new Secret('secret-horse'))).toEqual({ name: 'alice', groups: ['staff'] });
    expect(await loaded.users.check('bob', new Secret('Wonderland-1'))).toMatchObject({ name: 'bob' });
    expect(await loaded.users.check('bob', new Secret('wrong'))).toBeUndefined();
    expect(await loaded.users.check('eve', new Secret('Wonderland-1'))).toBeUndefined();
  });

  test('names and passwords are compared after NFC', async () => {
    const loaded = load([inline('j\u00f6rg', 'p\u00e4ss')]);
    expect(loaded.ok && (await loaded.users.check('jo\u0308rg', new Secret('p\u00e4ss')))).toMatchObject({
      name: 'j\u00f6rg',
    });
  });

  test.each([
    ['a name twice', [inline('a', 'x'), inline('a', 'y')], 'users[1]'],
    ['a name with a colon', [inline('a:b', 'x')], 'users[0].name'],
    ['a password with control characters', [inline('a', 'x\u0001')], 'users[0].password'],
    ['a file that is not there', [{ htpasswd: join(folder, 'none'), groups: [] }], 'users[0].htpasswd'],
    ['a line of no known kind', [{ htpasswd: htpasswd('a:plain\n'), groups: [] }], 'users[0].htpasswd'],
    ['a hash of no known kind', [{ name: 'a', hash: 'plain', groups: [] }], 'users[0].hash'],
  ] as [string, UserEntry[], string][])('%s is a problem at its place', (_what, entries, path) => {
    const loaded = load(entries);
    expect(loaded.ok ? [] : loaded.problems.map((problem) => problem.path)).toEqual([path]);
  });
});

describe('what was verified', () => {
  /** A user whose password is checked by hand. */
  function store(now: () => number) {
    const asked: ((good: boolean) => void)[] = [];
    const password = { cost: 1, matches: () => new Promise<boolean>((resolve) => asked.push(resolve)) };
    const user: StoredUser = { user: { name: 'alice', groups: [] }, password };
    return { asked, users: new UserStore(new Map([['alice', user]]), now) };
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
