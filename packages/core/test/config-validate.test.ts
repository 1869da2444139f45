import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { listenAddress } from '../src/config/address-fields.ts';
import { duration, field } from '../src/config/fields.ts';
import { ConfigError, formatProblem } from '../src/config/problem.ts';
import { secretSource } from '../src/config/secret-source.ts';
import { configFromObject, readConfig } from '../src/config/tree.ts';
import { validate } from '../src/config/validate.ts';

const folder = mkdtempSync(join(tmpdir(), 'chain407-validate-'));
afterAll(() => rmSync(folder, { recursive: true }));

const name = z.string().min(1);
const schema = z.strictObject({
  listen: listenAddress('/etc').default({ host: '127.0.0.1', port: 3128 }),
  port: z.int().min(1).max(65_535).optional(),
  factor: z.number().optional(),
  least: z.int().min(1).optional(),
  most: z.number().max(9).optional(),
  step: z.number().multipleOf(5).optional(),
  on: z.boolean().optional(),
  mode: z.enum(['relay', 'substitute']).optional(),
  one: z.literal('x').optional(),
  names: z.array(name).min(1).optional(),
  two: z.array(name).min(2).max(3).optional(),
  method: z
    .string()
    .regex(/^[A-Z]+$/, 'expected a method in capitals')
    .optional(),
  code: z
    .string()
    .regex(/^[A-Z]+$/)
    .optional(),
  section: z.strictObject({ timeout: duration(), retries: z.int().default(3) }).optional(),
  credentials: z.record(name, z.strictObject({ username: name, password: secretSource('/etc') })).optional(),
  tokens: z.strictObject({ token: z.int().optional(), hash: duration().optional() }).optional(),
  via: z.union([name, z.array(name).min(1)]).optional(),
  status: z.union([z.literal(403), z.literal(407)], { error: 'expected 403 or 407' }).optional(),
  user: z
    .union(
      [
        z.strictObject({ name, password: secretSource('/etc') }),
        z.strictObject({ name, hash: name }),
        z.strictObject({ htpasswd: name }),
      ],
      { error: 'expected a user or a file of users' },
    )
    .optional(),
  kind: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('a'), x: z.int() }),
      z.strictObject({ type: z.literal('b'), y: z.int() }),
    ])
    .optional(),
  pair: z
    .strictObject({ from: z.int(), to: z.int() })
    .refine(({ from, to }) => from <= to, 'expected from before to')
    .optional(),
  key: field('a key', () => undefined, { secret: true }).optional(),
});

function problemsOf(value: unknown): string[] {
  const validated = validate(schema, configFromObject(value));
  return validated.ok ? [] : validated.problems.map(formatProblem);
}

describe('a value', () => {
  test('that is good has every default filled in', () => {
    expect(validate(schema, configFromObject({ section: { timeout: '8s' } }))).toEqual({
      ok: true,
      value: { listen: { host: '127.0.0.1', port: 3128 }, section: { timeout: 8000, retries: 3 } },
    });
  });

  test.each<[string, unknown, string]>([
    ['a text for an integer', { port: '80a' }, 'port: expected an integer 1-65535, got "80a"'],
    ['an integer beyond its range', { port: 65_536 }, 'port: expected an integer 1-65535, got 65536'],
    ['an integer below its range', { port: 0 }, 'port: expected an integer 1-65535, got 0'],
    ['a fraction for an integer', { port: 1.5 }, 'port: expected an integer 1-65535, got 1.5'],
    ['less than the least', { least: 0 }, 'least: expected an integer of at least 1, got 0'],
    ['more than the most', { most: 10 }, 'most: expected a number of at most 9, got 10'],
    ['not a number', { factor: Number.NaN }, 'factor: expected a number, got NaN'],
    ['between the steps', { step: 7 }, 'step: expected a multiple of 5, got 7'],
    ['a text for true', { on: 'yes' }, 'on: expected true or false, got "yes"'],
    ['a mode that there is not', { mode: 'relais' }, 'mode: expected one of relay, substitute, got "relais"'],
    ['another literal', { one: 'y' }, 'one: expected x, got "y"'],
    ['a text for a list', { names: 'a' }, 'names: expected a list, got "a"'],
    ['an empty list', { names: [] }, 'names: expected at least one entry, got a list'],
    ['a list too short', { two: ['a'] }, 'two: expected at least 2 entries, got a list'],
    ['a list too long', { two: ['a', 'b', 'c', 'd'] }, 'two: expected at most 3 entries, got a list'],
    ['an empty text', { names: ['a', ''] }, 'names[1]: expected a string that is not empty, got ""'],
    ['a number for a text', { names: [7] }, 'names[0]: expected a string, got 7'],
    ['an empty value', { names: null }, 'names: expected a list, got nothing (an empty value)'],
    ['a list for a map', { section: [] }, 'section: expected a map, got a list'],
    ['a key that is missing', { section: {} }, 'section.timeout: expected a duration such as'],
    ['words of the schema itself', { method: 'get' }, 'method: expected a method in capitals, got "get"'],
    ['a format without words', { code: 'get' }, 'code: expected a string of the form regex, got "get"'],
    ['a rule across keys', { pair: { from: 2, to: 1 } }, 'pair: expected from before to'],
    [
      'an empty name',
      { credentials: { '': {} } },
      'credentials[""]: expected a string that is not empty, got the key ""',
    ],
    ['a long text, cut', { on: 'x'.repeat(500) }, `on: expected true or false, got "${'x'.repeat(59)}…"`],
    ['a bigint', { on: 7n }, 'on: expected true or false, got 7'],
    ['no map at all', 7, 'expected a map, got 7'],
    ['nothing at all', undefined, 'expected a map, got nothing'],
  ])('that is wrong is shown beside what was expected: %s', (_what, value, problem) => {
    expect(problemsOf(value)).toContainEqual(expect.stringContaining(problem));
  });

  test.each<[string, unknown, string[]]>([
    ['neither form', { via: 5 }, ['via: expected a string or a list, got 5']],
    ['a form that is empty', { via: [] }, ['via: expected at least one entry, got a list']],
    ['an entry of a form', { via: ['a', 5] }, ['via[1]: expected a string, got 5']],
    ['words of the union itself', { status: 404 }, ['status: expected 403 or 407, got 404']],
    ['no form', { user: 'alice' }, ['user: expected a user or a file of users, got "alice"']],
    ['as near to one form as to another', { user: {} }, ['user.htpasswd: expected a string, got nothing']],
    [
      'two forms at once',
      { user: { name: 'a', hash: 'x', password: { env: 'X' } } },
      ['user: expected a user or a file of users, got a map'],
    ],
    [
      'a form with a mistake in it',
      { user: { name: 'a', password: 'hunter2' } },
      [
        'user.password: expected { env: NAME }, { file: PATH }, { command: [argv…] }, { keyring: service/account } or { value: text }, got a string; a bare text would be a secret in the open',
      ],
    ],
    [
      'a form with a misspelled key',
      { user: { naem: 'a', hash: 'x' } },
      ['user.naem: unknown key "naem", did you mean "name"?'],
    ],
    ['a form that there is not', { kind: { type: 'c' } }, ['kind.type: expected one of a, b, got "c"']],
    ['the form that is named', { kind: { type: 'b', y: 'z' } }, ['kind.y: expected an integer, got "z"']],
    [
      'a key of the form that is not named',
      { kind: { type: 'b', y: 1, x: 1 } },
      ['kind.x: unknown key "x", did you mean "y"?'],
    ],
  ])('of several forms is judged by the one that was meant: %s', (_what, value, problems) => {
    expect(problemsOf(value)).toEqual(problems);
  });

  test('all problems are told at once', () => {
    expect(problemsOf({ port: 0, on: 1, lisen: 2, section: { timeout: 'soon', x: 1 } })).toHaveLength(5);
  });
});

describe('an unknown key', () => {
  test.each([
    ['one letter short', { lisen: 1 }, 'lisen: unknown key "lisen", did you mean "listen"?'],
    ['in another case', { Listen: 1 }, 'Listen: unknown key "Listen", did you mean "listen"?'],
    ['of which the map has a rule', { pair: { from: 2, too: 1 } }, 'pair.too: unknown key "too", did you mean "to"?'],
    ['in a section', { section: { timeot: 1 } }, 'section.timeot: unknown key "timeot", did you mean "timeout"?'],
    [
      'in a map of free names',
      { credentials: { corp: { user: 'a' } } },
      'credentials.corp.user: unknown key "user", expected one of username, password',
    ],
    ['like nothing else', { section: { zzzzzzzz: 1 } }, 'unknown key "zzzzzzzz", expected one of timeout, retries'],
    ['that a path cannot hold as it is', { section: { 'a.b c': 1 } }, 'section["a.b c"]: unknown key "a.b c"'],
    ['of no length', { section: { '': 1 } }, 'section[""]: unknown key ""'],
    ['of great length', { section: { ['x'.repeat(100_000)]: 1 } }, `unknown key "${'x'.repeat(59)}…", expected one of`],
    ['constructor', { section: { constructor: 1 } }, 'section.constructor: unknown key "constructor"'],
    ['toString', { toString: 1 }, 'toString: unknown key "toString"'],
    ['__proto__', JSON.parse('{"__proto__":{"on":1}}'), '__proto__: unknown key "__proto__", expected another name'],
    [
      '__proto__ among free names',
      JSON.parse('{"credentials":{"__proto__":{}}}'),
      'credentials.__proto__: unknown key "__proto__"',
    ],
  ])('is named with what was meant: %s', (_what, value, problem) => {
    expect(problemsOf(value).filter((text) => text.includes(problem))).toHaveLength(1);
  });

  test.each([
    ['the key that is missing then', { section: { timeot: '8s' } }],
    ['a rule of its map', { pair: { from: 2, to: 1, too: 1 } }],
  ])('is told alone, without %s', (_what, value) => {
    expect(problemsOf(value)).toEqual([expect.stringMatching(/unknown key/)]);
  });

  test('__proto__ is told once', () => {
    expect(problemsOf(JSON.parse('{"section":{"timeout":"8s","__proto__":1}}'))).toEqual([
      'section.__proto__: unknown key "__proto__", expected another name',
    ]);
  });

  test('a map full of them is told in full, in time', () => {
    expect(problemsOf(Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`key${i}`, i])))).toHaveLength(3000);
  });
});

describe('a secret is never shown', () => {
  test.each<[string, unknown]>([
    ['bare', { credentials: { a: { username: 'x', password: 'hunter2' } } }],
    ['in a form that there is not', { credentials: { a: { username: 'x', password: { text: 'hunter2' } } } }],
    ['as the name of a variable', { credentials: { a: { username: 'x', password: { env: 'hunter2!' } } } }],
    ['beside another form', { credentials: { a: { username: 'x', password: { env: 'A', value: 'hunter2' } } } }],
    ['as a token', { tokens: { token: 'hunter2' } }],
    ['as a hash', { tokens: { hash: 'hunter2' } }],
    ['under a key that does not say so', { key: 'hunter2' }],
    ['in a URL', { listen: 'http://alice:hunter2@proxy' }],
    ['in a URL, with a slash', { listen: 'http://alice:a/hunter2@proxy' }],
    ['in a URL, with an @', { listen: 'http://alice:a@hunter2@proxy' }],
    ['in a URL without a scheme', { listen: 'alice:hunter2@proxy' }],
    ['in a long URL', { listen: `http://alice:${'hunter2'.repeat(20)}@proxy` }],
    ['under a key that is not known', { passwrod: 'hunter2' }],
  ])('%s', (_what, value) => {
    const problems = problemsOf(value);
    expect(problems).not.toEqual([]);
    expect(problems.join('\n')).not.toContain('hunter2');
  });

  test('only what kind of value it is', () => {
    expect(problemsOf({ tokens: { token: 'hunter2' } })).toEqual(['tokens.token: expected an integer, got a string']);
    expect(problemsOf({ key: 12345 })).toEqual(['key: expected a key, got a number']);
  });
});

describe('places', () => {
  function placed(texts: readonly string[], overrides: readonly string[] = []): string[] {
    const files = texts.map((text, i) => {
      const path = join(folder, `${i}.yaml`);
      writeFileSync(path, text);
      return path;
    });
    const read = readConfig(files, overrides);
    const validated = read.ok ? validate(schema, read.tree) : read;
    return validated.ok ? [] : validated.problems.map((problem) => formatProblem(problem).replace(`${folder}/`, ''));
  }

  test('a wrong value at the value, an unknown key at the key, a missing key at the key of its map', () => {
    expect(
      placed([
        `section:
  retries: many
  retrys: 3
names: &names
  - a
  - 7
via: *names
credentials:
  corp: { username: alice, pasword: { env: X } }
`,
      ]),
    ).toEqual([
      expect.stringMatching(/^0\.yaml:1:1: section\.timeout: expected a duration .*, got nothing$/),
      '0.yaml:2:12: section.retries: expected an integer, got "many"',
      '0.yaml:3:3: section.retrys: unknown key "retrys", did you mean "retries"?',
      '0.yaml:6:5: names[1]: expected a string, got 7',
      '0.yaml:6:5: via[1]: expected a string, got 7',
      '0.yaml:9:28: credentials.corp.pasword: unknown key "pasword", did you mean "password"?',
    ]);
  });

  test('in the order of the files, then of the lines; an override by its text', () => {
    expect(placed(['on: 1\nfactor: x', '\n\nport: 0'], ['mode=relais', 'least=0'])).toEqual([
      expect.stringMatching(/^0\.yaml:1:5: on: /),
      expect.stringMatching(/^0\.yaml:2:9: factor: /),
      expect.stringMatching(/^1\.yaml:3:7: port: /),
      expect.stringMatching(/^--set mode=relais: mode: /),
      expect.stringMatching(/^--set least=0: least: /),
    ]);
  });

  test('an override that is YAML but wrong names its text, without a secret in it', () => {
    expect(placed([''], ['on=["password":"hunter2"]', 'port=7x'])).toEqual([
      '--set on=…: on: expected true or false, got a list',
      '--set port=7x: port: expected an integer 1-65535, got "7x"',
    ]);
  });

  test('a forbidden key at the key', () => {
    expect(placed(['credentials:\n  __proto__: {}'])).toEqual([
      '0.yaml:2:3: credentials.__proto__: unknown key "__proto__", expected another name',
    ]);
  });
});

test('a section is checked alone, with its whole path in the problems', () => {
  const tree = configFromObject({ downstream: { timeout: 1, x: 1 }, upstream: { timeout: '8s' } });
  const section = z.strictObject({ timeout: duration() });
  expect(validate(section, tree, ['upstream'])).toEqual({ ok: true, value: { timeout: 8000 } });
  const wrong = validate(section, tree, ['downstream']);
  expect(wrong.ok ? [] : wrong.problems.map(({ path }) => path)).toEqual(['downstream.timeout', 'downstream.x']);
  const missing = validate(section, tree, ['admin']);
  expect(missing.ok ? [] : missing.problems.map(formatProblem)).toEqual(['admin: expected a map, got nothing']);
});

test('whatever the value, validation gives a value or problems, and never throws', () => {
  const json = fc.jsonValue({ maxDepth: 4 });
  const keys = fc.constantFrom(...Object.keys(schema.shape), '__proto__', 'constructor', 'toString', 'x');
  const maps = fc.array(fc.tuple(keys, json)).map((pairs) => Object.fromEntries(pairs));
  fc.assert(
    fc.property(fc.oneof(json, maps, fc.anything()), (value) => {
      const validated = validate(schema, configFromObject(value));
      if (!validated.ok) {
        expect(validated.problems.length).toBeGreaterThan(0);
        for (const { message } of validated.problems) expect(message).toMatch(/^(?:expected|unknown key) /);
      }
    }),
    { numRuns: 500 },
  );
});

test('a value that holds itself is looked at once', () => {
  const value: Record<string, unknown> = {};
  value.section = value;
  expect(problemsOf(value)).not.toEqual([]);
});

describe('a problem as people see it', () => {
  const problem = { severity: 'error', path: 'a.b', message: 'expected x, got y' } as const;
  test.each([
    ['of a file', { ...problem, file: 'c.yaml', line: 3, column: 7 }, 'c.yaml:3:7: a.b: expected x, got y'],
    ['of an override', { ...problem, file: '--set a.b=y' }, '--set a.b=y: a.b: expected x, got y'],
    ['of an object', problem, 'a.b: expected x, got y'],
    ['of the whole', { ...problem, path: '' }, 'expected x, got y'],
    ['that is a warning', { ...problem, severity: 'warning' as const }, 'a.b: warning: expected x, got y'],
  ])('%s', (_what, value, text) => {
    expect(formatProblem(value)).toBe(text);
  });

  test('an error holds all of them', () => {
    expect(new ConfigError([problem, problem]).message).toBe('a.b: expected x, got y\na.b: expected x, got y');
  });
});
