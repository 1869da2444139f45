import type { z } from 'zod';
import { FIELD } from './fields.ts';
import type { Problem } from './problem.ts';
import { keysAt, suggest } from './schema-keys.ts';
import { show } from './show.ts';
import type { ConfigTree, Path } from './tree.ts';

export type Validated<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

type Issue = z.core.$ZodIssue;

/** Checks a tree against a schema: the value with every default filled in, or all problems, each with its place. */
export function validate<S extends z.ZodType>(schema: S, tree: ConfigTree): Validated<z.output<S>> {
  const result = schema.safeParse(tree.value);
  if (result.success) return { ok: true, value: result.data };
  const problems = result.error.issues.flatMap((issue) => problemsOf(issue, schema, tree));
  return { ok: false, problems: problems.sort(byPlace) };
}

/** In the order in which a reader meets them. */
function byPlace(a: Problem, b: Problem): number {
  if (a.file !== b.file) return 0;
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

function problemsOf(issue: Issue, schema: z.ZodType, tree: ConfigTree): Problem[] {
  const path = issue.path.map((key) => (typeof key === 'number' ? key : String(key)));
  if (issue.code !== 'unrecognized_keys') {
    const value = valueAt(tree.value, path);
    return [
      { severity: 'error', ...tree.placeOf(path), path: formatPath(path), message: messageOf(issue, value, path) },
    ];
  }
  const known = keysAt(schema, path);
  return issue.keys.map((key) => {
    const meant = suggest(key, known);
    const hint = meant === undefined ? `expected one of ${known.join(', ')}` : `did you mean "${meant}"?`;
    return {
      severity: 'error',
      ...tree.placeOfKey([...path, key]),
      path: formatPath([...path, key]),
      message: `unknown key, ${hint}`,
    };
  });
}

/** `routes[0].via` */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? key : `${text}.${key}`;
  }, '');
}

function valueAt(value: unknown, path: Path): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Record<string | number, unknown>)[key];
  }
  return found;
}

const TYPES: ReadonlyMap<string, string> = new Map([
  ['string', 'a text'],
  ['number', 'a number'],
  ['int', 'a whole number'],
  ['boolean', 'true or false'],
  ['array', 'a list'],
  ['object', 'a map'],
  ['record', 'a map'],
]);

/** Fields say themselves what they expected; the rest is said here, in the same form. */
function messageOf(issue: Issue, value: unknown, path: Path): string {
  const got = `got ${show(value, path)}`;
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${TYPES.get(issue.expected) ?? issue.expected}, ${got}`;
    case 'invalid_value':
      return `expected ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}, ${got}`;
    case 'too_small':
      return issue.origin === 'string'
        ? 'expected a text that is not empty'
        : `expected at least ${issue.minimum}${entries(issue.origin)}, ${got}`;
    case 'too_big':
      return `expected at most ${issue.maximum}${entries(issue.origin)}, ${got}`;
    case 'custom':
      return issue.params === FIELD ? `${issue.message}, ${got}` : issue.message;
    default:
      return issue.message;
  }
}

const entries = (origin: string): string => (origin === 'array' ? ' entries' : '');
