import type { z } from 'zod';
import type { FieldParams } from './fields.ts';
import { suggest } from './suggest.ts';

type Issue = z.core.$ZodIssue;

/** The keys that a map may have, by the `keys` of the issue about those that it may not have. */
export type KnownKeys = WeakMap<readonly string[], readonly string[]>;

/** Where a key is missing because it is misspelt beside, and the maps that it is missing from. */
export function misspeltPlaces(issues: readonly Issue[], known: KnownKeys): ReadonlySet<string> {
  const places = issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [];
    const meant = issue.keys.flatMap((key) => suggest(key, known.get(issue.keys) ?? []) ?? []);
    return meant.flatMap((key) => [issue.path, [...issue.path, key]]);
  });
  return new Set(places.map(nameOf));
}

const nameOf = (path: Issue['path']): string => path.join('.');

/**
 * True of what is said only because a key is misspelt: of the key that is missing then, or of the keys of its map together.
 * Should it still be wrong when the key is right, it is told then. `isThere`: the value that is complained about.
 */
export function followsFrom(misspelt: ReadonlySet<string>, { code, path, ...issue }: Issue, isThere: boolean): boolean {
  if (code === 'unrecognized_keys') return false;
  const isOfOneField =
    code !== 'custom' || ('params' in issue && (issue.params as Partial<FieldParams>)?.field === true);
  if (isOfOneField) return !isThere && misspelt.has(nameOf(path));
  return misspelt.has(nameOf(path)) || misspelt.has(nameOf(path.slice(0, -1)));
}
