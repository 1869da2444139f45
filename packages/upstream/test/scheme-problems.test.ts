import { describe, expect, test } from '@jest/globals';
import type { UserEntry } from '../src/users/load-users.ts';
import { schemeProblems } from '../src/users/scheme-problems.ts';
import { inline, problemsOf, REALM, userFile, usersOf, value } from './stored-users.ts';

const BCRYPT = '$2y$05$61vdtUc3LizjF.f779uAzOUGlmOsKvUsJqZIKo9Kx.4rAH73O9Db6';
const MD5 = '939e7578ed9e3c518a452acee763bce9';

const hashed = (name: string): UserEntry => ({ name, hash: BCRYPT, groups: [] });
const htpasswd = (...names: string[]): UserEntry => ({
  htpasswd: userFile(names.map((name) => `${name}:${BCRYPT}\n`).join('')),
  groups: [],
});
const htdigest = (...lines: string[]): UserEntry => ({ htdigest: userFile(lines.join('\n')), groups: [] });
const token = (name: string, text = 'abc'): UserEntry => ({ name, token: value(text), groups: [] });
const ntHash = (name: string): UserEntry => ({ name, ntHash: value('2'.repeat(32)), groups: [] });

describe('users that cannot be read', () => {
  test.each([
    [
      'for one scheme twice',
      [htpasswd('a'), hashed('a')],
      ['users[1]: expected each user once for basic, got "a" again after users[0]'],
    ],
    [
      'with a password and an htdigest line',
      [inline('a', 'x'), htdigest(`a:${REALM}:${MD5}`)],
      ['users[1]: expected each user once for digest MD5, got "a" again after users[0]'],
    ],
    [
      'with another\u2019s token',
      [token('a'), token('b')],
      ['users[1]: expected a token of its own, got that of users[0]'],
    ],
    [
      'of another realm',
      [htdigest(`a:one:${MD5}`, `b:two:${MD5}`, `c:one:${MD5}`)],
      [`has lines of the realm "one", "two" only, and upstream.realm is "${REALM}"`],
    ],
    [
      'of a line that is none',
      [htdigest(`a:${REALM}:${MD5}`, 'b:plain', `c:${REALM}:${MD5}0`)],
      [':2: expected NAME:REALM:HASH', ':3: expected NAME:REALM:HASH'],
    ],
    [
      'of an NT hash that is none',
      [{ name: 'a', ntHash: value('horse'), groups: [] }],
      ['users[0].ntHash: expected 32'],
    ],
    [
      'of a token with a space',
      [token('a', 'secret horse')],
      ['users[0].token: expected a token that clients can send'],
    ],
  ] as [string, UserEntry[], string[]][])('%s', (_what, entries, messages) => {
    const problems = problemsOf(entries);
    expect(problems).toEqual(messages.map((message) => expect.stringContaining(message)));
    expect(problems.join()).not.toMatch(/horse|939e/);
  });
});

describe('users beside what is offered', () => {
  const problems = (entries: UserEntry[], schemes: string[]): string[] =>
    schemeProblems(usersOf(entries).accounts, { schemes, algorithms: ['SHA-256', 'MD5'] }).map(
      ({ severity, path, message }) => `${severity} ${path}: ${message}`,
    );

  test.each([
    ['a password for all', [inline('a', 'x')], ['ntlm', 'digest', 'basic']],
    ['one that can use one of them', [inline('a', 'x'), hashed('b')], ['digest', 'basic']],
    ['names of which only NTLM would not know the difference', [inline('a', 'x'), inline('A', 'y')], ['basic']],
    ['names of which NTLM sees one', [inline('a', 'x'), hashed('A')], ['ntlm', 'basic']],
    ['both algorithms', [htdigest(`a:${REALM}:${MD5}`, `a:${REALM}:${MD5}${MD5}`)], ['digest']],
    ['no users and no scheme that asks them', [], []],
  ] as [string, UserEntry[], string[]][])('no problem: %s', (_what, entries, schemes) => {
    expect(problems(entries, schemes)).toEqual([]);
  });

  test.each([
    [
      'a scheme that nobody can use',
      [hashed('a')],
      ['basic', 'ntlm'],
      ['error auth.schemes: no user can use ntlm: add a user with a password or ntHash'],
    ],
    [
      'a scheme that users have no part in',
      [inline('a', 'x')],
      ['negotiate', 'basic'],
      [
        'error auth.schemes: no user can use negotiate: name a program in auth.helpers.negotiate, or take negotiate out',
      ],
    ],
    [
      'a user who can use none',
      [inline('a', 'x'), hashed('bob')],
      ['ntlm', 'digest'],
      [
        'warning users[1]: "bob" has a hash (bcrypt, apr1 or SHA), which only basic can use, and auth.schemes offers ntlm, digest',
      ],
    ],
    [
      'a file of users who can use none, in one',
      [inline('a', 'x'), htpasswd('b', 'c', 'd')],
      ['digest'],
      ['warning users[1]: "b" and 2 more have a hash (bcrypt, apr1 or SHA), which only basic can use'],
    ],
    [
      'a user who has two things for nothing',
      [inline('a', 'x'), hashed('b'), token('b')],
      ['digest'],
      ['warning users[1]: "b" has a hash', 'warning users[2]: "b" has a token, which only bearer can use'],
    ],
    [
      'users where helpers verify everything',
      [inline('a', 'x')],
      [],
      ['warning users[0]: "a" has a password, which only basic, digest, ntlm can use, and auth.schemes offers none'],
    ],
    [
      'names that NTLM takes for one',
      [ntHash('Alice'), inline('alice', 'x')],
      ['ntlm'],
      ['error users[1]: "alice" and "Alice" are one user to NTLM'],
    ],
    [
      'an algorithm that a user has no line for',
      [htdigest(`a:${REALM}:${MD5}`, `b:${REALM}:${MD5}`)],
      ['digest'],
      ['warning users[0]: "a" and 1 more have no htdigest line for SHA-256, which auth.digest.algorithms offers'],
    ],
  ] as [string, UserEntry[], string[], string[]][])('%s', (_what, entries, schemes, expected) => {
    expect(problems(entries, schemes)).toEqual(expected.map((message) => expect.stringContaining(message)));
  });
});
