import type { Problem } from './problem.ts';

export type Path = readonly (string | number)[];

/** Where a key or a value is written. */
export type Place = Pick<Problem, 'file' | 'line' | 'column'>;

/** A value as it was written: each part with its place. What an alias names is shared, not copied. */
export type Written =
  | { readonly kind: 'scalar'; readonly place: Place; readonly value: unknown }
  | { readonly kind: 'list'; readonly place: Place; readonly items: readonly Written[] }
  | { readonly kind: 'map'; readonly place: Place; readonly entries: ReadonlyMap<string, Entry> };

export interface Entry {
  /** Where the key is written. */
  readonly key: Place;
  readonly value: Written;
}

/** Maps are merged and stay where they were begun; everything else is replaced, with its place. */
export function merge(base: Written, over: Written): Written {
  if (base.kind !== 'map' || over.kind !== 'map') return over;
  const entries = new Map(base.entries);
  for (const [key, entry] of over.entries) {
    const before = entries.get(key);
    const bothMaps = before?.value.kind === 'map' && entry.value.kind === 'map';
    entries.set(key, bothMaps ? { key: before.key, value: merge(before.value, entry.value) } : entry);
  }
  return { ...base, entries };
}

/** The value without its places. */
export function plain(written: Written): unknown {
  switch (written.kind) {
    case 'scalar':
      return written.value;
    case 'list':
      return written.items.map(plain);
    case 'map':
      // Makes own properties of every name, `__proto__` included.
      return Object.fromEntries([...written.entries].map(([key, { value }]) => [key, plain(value)]));
    default:
      return written satisfies never;
  }
}

/** A value, with its key where it stands in a map. */
type Found = Pick<Entry, 'value'> & Partial<Pick<Entry, 'key'>>;

/** What stands at a path, or the nearest thing around it. */
export function nearest(root: Written, path: Path): { readonly found: boolean; readonly at: Found } {
  let at: Found = { value: root };
  for (const step of path) {
    const { value } = at;
    let next: Found | undefined;
    if (value.kind === 'map') next = value.entries.get(String(step));
    else if (value.kind === 'list') next = itemOf(value.items, step);
    if (next === undefined) return { found: false, at };
    at = next;
  }
  return { found: true, at };
}

function itemOf(items: readonly Written[], step: string | number): Found | undefined {
  const value = items[Number(step)];
  return value === undefined ? undefined : { value };
}
