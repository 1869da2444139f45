import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Problem } from './problem.ts';
import { showOverride } from './show.ts';
import { whyUnreadable } from './unreadable.ts';
import type { Path, Place, Written } from './written.ts';
import { merge, nearest, plain } from './written.ts';
import { readYaml } from './yaml-text.ts';

export type { Path, Place } from './written.ts';

/** A configuration as it was written: one value made of all files and overrides, and where each part of it stands. */
export interface ConfigTree {
  readonly value: unknown;
  /** What relative paths in it start from: the folder of the first file, or the working directory. */
  readonly baseDir: string;
  /** The files and overrides by the names that places give them, in the order in which they were read. */
  readonly sources: readonly string[];
  /** The place of the value at a path; of what is missing: the place of the map (its key, where it has one) that lacks it. */
  placeOf(path: Path): Place;
  /** The place of the key itself. */
  placeOfKey(path: Path): Place;
}

export type ReadTree =
  | { readonly ok: true; readonly tree: ConfigTree }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** A configuration that was built in a program: it has no places. */
export function configFromObject(value: unknown, baseDir: string = process.cwd()): ConfigTree {
  return { value, baseDir, sources: [], placeOf: () => ({}), placeOfKey: () => ({}) };
}

/**
 * Reads YAML 1.2 files, later ones over earlier ones (maps are merged, everything else is replaced), then overrides of
 * the form `key.path=value`, whose value is YAML too.
 */
export function readConfig(files: readonly string[], overrides: readonly string[] = []): ReadTree {
  const problems: Problem[] = [];
  const layers = [
    ...files.map((file) => readFile(file, problems)),
    ...overrides.map((text) => readOverride(text, problems)),
  ].filter((layer) => layer !== undefined);
  if (problems.length > 0) return { ok: false, problems };
  const [file] = files;
  const empty: Written = { kind: 'map', place: file === undefined ? {} : { file }, entries: new Map() };
  const [first = empty, ...rest] = layers;
  const root = rest.reduce(merge, first);
  const sources = [...files, ...overrides.map(nameOf)];
  return { ok: true, tree: treeOf(root, file === undefined ? process.cwd() : dirname(resolve(file)), sources) };
}

function treeOf(root: Written, baseDir: string, sources: readonly string[]): ConfigTree {
  return {
    value: plain(root),
    baseDir,
    sources,
    placeOf: (path) => {
      const { found, at } = nearest(root, path);
      return found ? at.value.place : (at.key ?? at.value.place);
    },
    placeOfKey: (path) => {
      const { at } = nearest(root, path);
      return at.key ?? at.value.place;
    },
  };
}

/** `undefined` where there is a problem, and for a file in which nothing is written. */
function readFile(file: string, problems: Problem[]): Written | undefined {
  const text = readText(file, problems);
  if (text === undefined) return undefined;
  const placeAt = (line: number, column: number): Place => ({ file, line, column });
  const written = readYaml(text, { path: [], placeAt }, problems);
  return written?.kind === 'scalar' && written.value === null ? undefined : written;
}

function readText(file: string, problems: Problem[]): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    problems.push({ severity: 'error', file, path: '', message: `cannot be read: ${whyUnreadable(error)}` });
    return undefined;
  }
}

/** An IPv6 address in brackets and a `*` mean something else in YAML; a shell takes the quotes that a file would have. */
const PLAIN = /^(?:\[[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*\](?::[0-9]+)?|\*\S*)$/;

function partsOf(override: string): { readonly key: string; readonly text: string | undefined } {
  const [, key = override, text] = /^([^=]*)=(.*)$/s.exec(override) ?? [];
  return { key, text };
}

function nameOf(override: string): string {
  const { key, text } = partsOf(override);
  return `--set ${showOverride(key, text)}`;
}

function readOverride(override: string, problems: Problem[]): Written | undefined {
  const { key, text } = partsOf(override);
  const keys = key.split('.');
  const place: Place = { file: nameOf(override) };
  if (text === undefined || keys.includes('')) {
    problems.push({ severity: 'error', ...place, path: '', message: 'expected KEY.PATH=VALUE' });
    return undefined;
  }
  const written = PLAIN.test(text)
    ? ({ kind: 'scalar', place, value: text } as const)
    : readYaml(text, { path: keys, placeAt: () => place }, problems);
  return (
    written &&
    keys.reduceRight<Written>(
      (value, name) => ({ kind: 'map', place, entries: new Map([[name, { key: place, value }]]) }),
      written,
    )
  );
}
