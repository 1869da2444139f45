import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Node, Pair } from 'yaml';
import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Problem } from './problem.ts';

export type Path = readonly (string | number)[];

/** Where a key or a value is written. */
export type Place = Pick<Problem, 'file' | 'line' | 'column'>;

/** A configuration as it was written: one value made of all files and overrides, and where each part of it stands. */
export interface ConfigTree {
  readonly value: unknown;
  /** What relative paths in it start from: the folder of the first file, or the working directory. */
  readonly baseDir: string;
  /** The place of the value at a path, or of the nearest thing around it. */
  placeOf(path: Path): Place;
  /** The place of the key itself. */
  placeOfKey(path: Path): Place;
}

export type ReadTree =
  | { readonly ok: true; readonly tree: ConfigTree }
  | { readonly ok: false; readonly problems: readonly Problem[] };

interface Places {
  readonly values: Map<string, Place>;
  readonly keys: Map<string, Place>;
}

const keyOf = (path: Path): string => path.join('\0');

function treeOf(value: unknown, baseDir: string, { values, keys }: Places): ConfigTree {
  const placeOf = (path: Path): Place => {
    for (let length = path.length; length >= 0; length -= 1) {
      const place = values.get(keyOf(path.slice(0, length)));
      if (place !== undefined) return place;
    }
    return {};
  };
  return { value, baseDir, placeOf, placeOfKey: (path) => keys.get(keyOf(path)) ?? placeOf(path) };
}

/** A configuration that was built in a program: it has no places. */
export function configFromObject(value: unknown, baseDir: string = process.cwd()): ConfigTree {
  return treeOf(value, baseDir, { values: new Map(), keys: new Map() });
}

/**
 * Reads YAML 1.2 files, later ones over earlier ones (maps are merged, everything else is replaced), then overrides of
 * the form `key.path=value`, whose value is YAML too.
 */
export function readConfig(files: readonly string[], overrides: readonly string[] = []): ReadTree {
  const problems: Problem[] = [];
  const places: Places = { values: new Map(), keys: new Map() };
  let value: unknown = {};
  for (const file of files) {
    const text = readText(file, problems);
    if (text !== undefined) value = merge(value, readYaml(text, file, [], places, problems) ?? {});
  }
  for (const override of overrides) {
    const [, path, text] = /^([^=]+)=(.*)$/s.exec(override) ?? [];
    if (path === undefined || text === undefined) {
      problems.push({ severity: 'error', file: `--set ${override}`, path: '', message: 'expected KEY.PATH=VALUE' });
      continue;
    }
    const keys = path.split('.');
    const read = readYaml(text, `--set ${path}`, keys, places, problems);
    value = merge(
      value,
      keys.reduceRight<unknown>((inner, key) => Object.fromEntries([[key, inner]]), read),
    );
  }
  if (problems.length > 0) return { ok: false, problems };
  const [first] = files;
  return { ok: true, tree: treeOf(value, first === undefined ? process.cwd() : dirname(resolve(first)), places) };
}

function readText(file: string, problems: Problem[]): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'this is a folder' : message;
    problems.push({ severity: 'error', file, path: '', message: `cannot be read: ${why}` });
    return undefined;
  }
}

/** The value of a text, with the places of all that is in it written down under `prefix`. */
function readYaml(text: string, file: string, prefix: Path, places: Places, problems: Problem[]): unknown {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, version: '1.2', merge: true });
  const fromFile = prefix.length === 0;
  const at = (offset: number | undefined): Place => {
    if (!fromFile || offset === undefined) return { file };
    const { line, col } = lineCounter.linePos(offset);
    return { file, line, column: col };
  };
  for (const error of document.errors) {
    problems.push({
      severity: 'error',
      ...at(error.pos[0]),
      path: prefix.join('.'),
      message: firstLine(error.message),
    });
  }
  if (document.errors.length > 0) return undefined;
  const note = (node: Node | Pair | null, path: Path): void => {
    if (isPair(node)) return;
    places.values.set(keyOf(path), at(node?.range?.[0]));
    if (isMap(node)) {
      for (const pair of node.items) {
        const key = isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
        places.keys.set(keyOf([...path, key]), at((pair.key as Node | null)?.range?.[0]));
        note(pair.value as Node | null, [...path, key]);
      }
    } else if (isSeq(node)) {
      for (const [i, item] of node.items.entries()) note(item as Node | null, [...path, i]);
    } else if (isAlias(node)) {
      const anchored = node.resolve(document);
      if (anchored !== undefined) note({ ...anchored } as Node, path);
    }
  };
  note(document.contents, prefix);
  try {
    // Aliases are resolved here; the limit stops a document that unfolds without end.
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    problems.push({ severity: 'error', file, path: prefix.join('.'), message: firstLine((error as Error).message) });
    return undefined;
  }
}

const firstLine = (text: string): string => (text.split('\n')[0] ?? text).replace(/:$/, '');

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `Object.fromEntries` makes own properties of every name, `__proto__` included. */
function merge(base: unknown, over: unknown): unknown {
  if (!isMapping(base) || !isMapping(over)) return over;
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(over))
    merged.set(key, merged.has(key) ? merge(merged.get(key), value) : value);
  return Object.fromEntries(merged);
}
