import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { formatProblem } from '../src/config/problem.ts';
import type { ConfigTree, Path } from '../src/config/tree.ts';
import { configFromObject, readConfig } from '../src/config/tree.ts';

const folder = mkdtempSync(join(tmpdir(), 'chain407-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function file(text: string): string {
  files += 1;
  const path = join(folder, `${files}.yaml`);
  writeFileSync(path, text);
  return path;
}

function treeOf(texts: readonly string[], overrides: readonly string[] = []): ConfigTree {
  const read = readConfig(texts.map(file), overrides);
  if (!read.ok) throw new Error(read.problems.map(formatProblem).join('\n'));
  return read.tree;
}

/** The problems as people see them, without the folder and the number of the file. */
function problemsOf(texts: readonly string[], overrides: readonly string[] = []): string[] {
  const read = readConfig(texts.map(file), overrides);
  return read.ok ? [] : read.problems.map((problem) => formatProblem(problem).replace(/^.*?\.yaml:/, ''));
}

const at = ({ line, column }: { line?: number; column?: number }) => `${line}:${column}`;

const PLACES = `# a comment
downstream:
  listen: 127.0.0.1:3128
  routes:
    - to: ['*.a', 10.0.0.0/8]
      via: direct
    - { to: ['*'], via: [a, "b"] }
  empty:
  # what all share
  base: &base { attempts: 1, deep: { er: [x] } }
  same: *base
  near:
    <<: *base
    attempts: 2
`;

describe('a file', () => {
  test.each<[string, Path, string, string]>([
    ['a block map', ['downstream'], '2:1', '3:3'],
    ['a value in it', ['downstream', 'listen'], '3:3', '3:11'],
    ['a block list', ['downstream', 'routes'], '4:3', '5:5'],
    ['a map in a list', ['downstream', 'routes', 0], '5:7', '5:7'],
    ['a key in a list', ['downstream', 'routes', 0, 'via'], '6:7', '6:12'],
    ['an entry of a flow list', ['downstream', 'routes', 0, 'to', 1], '5:19', '5:19'],
    ['a flow map', ['downstream', 'routes', 1], '7:7', '7:7'],
    ['a key of a flow map', ['downstream', 'routes', 1, 'via'], '7:20', '7:25'],
    ['a quoted text', ['downstream', 'routes', 1, 'via', 1], '7:29', '7:29'],
    ['an empty value', ['downstream', 'empty'], '8:3', '8:9'],
    ['an anchored map', ['downstream', 'base'], '10:3', '10:15'],
    ['an alias: the key where it stands, the value where it is written', ['downstream', 'same'], '11:3', '10:15'],
    ['what is inside an alias', ['downstream', 'same', 'deep', 'er', 0], '10:43', '10:43'],
    ['a key that was merged in', ['downstream', 'near', 'deep'], '10:30', '10:36'],
    ['a key that is written beside a merge', ['downstream', 'near', 'attempts'], '14:5', '14:15'],
    ['a key that is missing: the key of its map', ['downstream', 'listen2'], '2:1', '2:1'],
    ['a key that is missing in a list entry: the entry', ['downstream', 'routes', 1, 'x'], '7:7', '7:7'],
    ['a key that is missing at the top: the beginning', ['upstream'], '2:1', '2:1'],
  ])('has the place of %s', (_what, path, key, value) => {
    const tree = treeOf([PLACES]);
    // A list entry has no key of its own, and is placed at its value.
    expect([at(tree.placeOfKey(path)), at(tree.placeOf(path))]).toEqual([key, value]);
  });

  test('is a value, with aliases and merges unfolded', () => {
    expect(treeOf([PLACES]).value).toEqual({
      downstream: {
        listen: '127.0.0.1:3128',
        routes: [
          { to: ['*.a', '10.0.0.0/8'], via: 'direct' },
          { to: ['*'], via: ['a', 'b'] },
        ],
        empty: null,
        base: { attempts: 1, deep: { er: ['x'] } },
        same: { attempts: 1, deep: { er: ['x'] } },
        near: { attempts: 2, deep: { er: ['x'] } },
      },
    });
  });

  test.each([
    ['YAML 1.2, whatever it says it is', '%YAML 1.1\n---\na: [yes, 0o17, 12:30:45]', { a: ['yes', 15, '12:30:45'] }],
    ['keys as they are written', '1: a\n0x10: b\nnull: c\n? d\n', { '1': 'a', '0x10': 'b', null: 'c', d: null }],
    ['maps to merge in a list, the first one first', '<<: [{ a: 1 }, { a: 2, b: 2 }]\nc: 3', { a: 1, b: 2, c: 3 }],
    ['"<<" in quotes as a key', '"<<": 1', { '<<': 1 }],
    ['the latest anchor of a name', 'a: &x 1\nb: *x\nc: &x 2\nd: *x', { a: 1, b: 1, c: 2, d: 2 }],
    ['an alias as often as it is used', `a: &x 1\nb: [${'*x, '.repeat(500)}]`, { a: 1, b: Array(500).fill(1) }],
    ['nothing', '# only a comment\n', {}],
    ['a list, to be complained about', '[1]', [1]],
  ])('holds %s', (_what, text, value) => {
    expect(treeOf([text]).value).toEqual(value);
  });

  test('keeps names that mean something to JavaScript as keys of the map itself', () => {
    const { value } = treeOf(
      ['__proto__: { polluted: 1 }\nconstructor: 2', '__proto__: { more: 2 }'],
      ['__proto__.x=3'],
    );
    expect(Object.entries(value as object)).toEqual([
      ['__proto__', { polluted: 1, more: 2, x: 3 }],
      ['constructor', 2],
    ]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test.each([
    ['a syntax error', 'a: [1\nb: 2', '2:1: Flow sequence in block collection must'],
    ['a tab', 'a:\n\t- x', '2:1: Tabs are not allowed as indentation'],
    ['a second document', 'a: 1\n---\nb: 2', '2:1: expected one document'],
    [
      'a key that stands twice',
      'a:\n  b: 1\n  c: 2\n  b: 3',
      '4:3: a: Map keys must be unique, got "b" again after line 2',
    ],
    ['the same key by a number and a text', '1: a\n"1": b', '2:1: Map keys must be unique, got "1" again'],
    ['a key that is a map', 'a: 1\n? { b: 1 }\n: 2', '2:3: expected a text as a key'],
    ['an alias without an anchor', 'a:\n  - *nowhere', '2:5: a[0]: expected an anchor (&) before this alias'],
    ['an alias before its anchor', 'a: *x\nb: &x 1', '1:4: a: expected an anchor (&) before this alias'],
    ['an alias to what it stands in', 'a: &x\n  b: *x', '2:6: a.b: expected an alias to something complete'],
    ['a merge of something else', 'a:\n  <<: 3', '2:3: a["<<"]: expected a map to merge, or a list of maps'],
    ['a tag', 'a: !env NAME', '1:4: expected a value without a tag'],
    ['a known tag that would change the value', 'a: !!binary aGk=', '1:4: expected a value without a tag'],
    ['too many levels', `a: ${'['.repeat(80)}${']'.repeat(80)}`, 'expected at most 64 levels'],
    ['levels beyond any stack', '['.repeat(200_000), '1:'],
  ])('complains about %s at its place', (_what, text, problem) => {
    expect(problemsOf([text])[0]).toContain(problem);
  });

  test('complains about aliases that unfold without end, without unfolding them', () => {
    const rows = Array.from({ length: 40 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}, *a${i}]`);
    expect(problemsOf([`a0: &a0 x\n${rows.join('\n')}`])[0]).toContain('expected aliases that unfold to 10000 values');
  });

  test.each([
    ['unexpected text', '- a\nb: hunter2'],
    ['a block scalar header', 'password: |hunter2\n  x'],
    ['a tag', 'password: { value: !hunter2 }'],
    ['an alias', 'password: { value: *hunter2 }'],
    ['an escape', 'password: "\\qhunter2"'],
    ['a missing quote', 'password: "hunter2'],
    ['a text behind the text', 'password: "a" hunter2'],
  ])('never shows what may be a secret: %s', (_what, text) => {
    const problems = problemsOf([text]);
    expect(problems).not.toEqual([]);
    expect(problems.join('\n')).not.toContain('hunter2');
  });
});

describe('files', () => {
  test('later ones override: maps are merged, lists and all else replaced', () => {
    const { value } = treeOf(['a: { b: 1, c: [1, 2], d: { e: 1 } }\nf: { g: 1 }', 'a: { c: [3], d: { h: 2 } }\nf: 7']);
    expect(value).toEqual({ a: { b: 1, c: [3], d: { e: 1, h: 2 } }, f: 7 });
  });

  test('each part keeps the place where it was last written', () => {
    const [first, second] = [file('a:\n  b: 1\n  c: [{ x: 1 }, { x: 2 }]'), file('\n\na: { c: [{ y: 1 }] }')];
    const read = readConfig([first, second]);
    if (!read.ok) throw new Error('unreadable');
    const { placeOf, placeOfKey } = read.tree;
    expect(placeOf(['a', 'b'])).toEqual({ file: first, line: 2, column: 6 });
    expect(placeOf(['a', 'c', 0, 'y'])).toEqual({ file: second, line: 3, column: 15 });
    expect(placeOfKey(['a', 'c'])).toEqual({ file: second, line: 3, column: 6 });
    // The list that was replaced is forgotten, with all that stood in it.
    expect(placeOf(['a', 'c', 0, 'x'])).toEqual({ file: second, line: 3, column: 10 });
    // A map that was merged stays where it was begun.
    expect(placeOf(['a', 'missing'])).toEqual({ file: first, line: 1, column: 1 });
  });

  test('relative paths start at the folder of the first one', () => {
    mkdirSync(join(folder, 'sub'));
    writeFileSync(join(folder, 'sub', 'a.yaml'), 'a: 1');
    const read = readConfig([join(folder, 'sub', 'a.yaml'), file('b: 1')]);
    expect(read.ok && read.tree.baseDir).toBe(join(folder, 'sub'));
  });

  test('those that cannot be read are all named, beside the problems of the others', () => {
    const read = readConfig([join(folder, 'nowhere.yaml'), folder, file('a: [')]);
    expect(read.ok ? [] : read.problems.map(formatProblem)).toEqual([
      `${join(folder, 'nowhere.yaml')}: cannot be read: there is no such file`,
      `${folder}: cannot be read: this is a folder`,
      expect.stringContaining('.yaml:1:'),
    ]);
  });

  test('a name that is no path is a problem, not an exception', () => {
    expect(readConfig(['a\0b']).ok).toBe(false);
  });
});

describe('--set', () => {
  test.each<[string, string, unknown]>([
    ['a text', 'a.b=127.0.0.1:0', { a: { b: '127.0.0.1:0', c: 1 } }],
    ['a number', 'a.b=7', { a: { b: 7, c: 1 } }],
    ['true', 'a.b=true', { a: { b: true, c: 1 } }],
    ['a flow list', 'a.b=[1, x]', { a: { b: [1, 'x'], c: 1 } }],
    ['a flow map, merged', 'a={ d: 2 }', { a: { b: 0, c: 1, d: 2 } }],
    ['a value with =', 'a.b=x=y', { a: { b: 'x=y', c: 1 } }],
    ['nothing', 'a.b=', { a: { b: null, c: 1 } }],
    ['what is not there yet', 'x.y.z=1', { a: { b: 0, c: 1 }, x: { y: { z: 1 } } }],
  ])('sets %s', (_what, override, value) => {
    expect(treeOf(['a: { b: 0, c: 1 }'], [override]).value).toEqual(value);
  });

  test('wins over files, and the last one over the ones before; its text is the place', () => {
    const tree = treeOf(['a: 1'], ['a=2', 'a=3']);
    expect(tree.value).toEqual({ a: 3 });
    expect([tree.placeOf(['a']), tree.placeOfKey(['a'])]).toEqual([{ file: '--set a=3' }, { file: '--set a=3' }]);
  });

  test('needs no file', () => {
    const read = readConfig([], ['a.b=1']);
    expect(read.ok && [read.tree.value, read.tree.baseDir]).toEqual([{ a: { b: 1 } }, process.cwd()]);
  });

  test.each([
    ['no value', 'a.b', '--set a.b: expected KEY.PATH=VALUE'],
    ['no key', '=1', '--set =…: expected KEY.PATH=VALUE'],
    ['an empty part of a key', 'a..b=1', '--set a..b=1: expected KEY.PATH=VALUE'],
    ['a value that is no YAML', 'a.b=[1', '--set a.b=[1: a.b: Flow sequence'],
  ])('complains about %s and names the text', (_what, override, problem) => {
    expect(problemsOf([], [override])[0]).toContain(problem);
  });

  test.each(['[::1]:0', '[::ffff:127.0.0.1]:3128', '[fe80::1]', '*', '*.example:443'])(
    'takes %s as it is written, without the quotes that a file would need',
    (text) => {
      const read = readConfig([], [`a.b=${text}`]);
      expect(read.ok && read.tree.value).toEqual({ a: { b: text } });
    },
  );

  test.each([
    ['under a key of secrets', 'corp.password=[hunter2'],
    ['in a map', 'corp={ password: [hunter2'],
    ['in a block map', 'corp=password: "hunter2'],
    ['in a URL', 'url=["http://alice:hunter2@proxy'],
    ['in a map of JSON', `corp=["password":"hunter2"`],
    ['in a map in a list', "corp=['password' :'hunter2'"],
    ['behind a colon for the =', 'corp.password:hunter2'],
    ['behind a blank for the =', 'corp.password hunter2'],
    ['behind a key that is empty, as that of an unset variable', '=hunter2'],
  ])('does not show a secret %s', (_what, override) => {
    const [problem] = problemsOf([], [override]);
    expect(problem).toContain(`--set ${override.split(/[=: ]/)[0]}`);
    expect(problem).not.toContain('hunter2');
  });
});

test('a configuration from a program has no places', () => {
  const tree = configFromObject({ a: 1 }, '/etc');
  expect([tree.value, tree.baseDir, tree.placeOf(['a']), tree.placeOfKey(['b'])]).toEqual([{ a: 1 }, '/etc', {}, {}]);
});
