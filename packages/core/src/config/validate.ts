import type { z } from 'zod';
import { expectation } from './expectation.ts';
import type { FieldParams } from './fields.ts';
import type { KnownKeys } from './misspelt.ts';
import { followsFrom, misspeltPlaces } from './misspelt.ts';
import type { Problem } from './problem.ts';
import { formatPath } from './problem.ts';
import { kindOf, quote, show } from './show.ts';
import { suggest } from './suggest.ts';
import type { ConfigTree, Path } from './tree.ts';

export type Validated<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

type Issue = z.core.$ZodIssue;

interface Context {
  readonly tree: ConfigTree;
  readonly known: KnownKeys;
}

/**
 * Checks a tree, or the section of it at `section`, against a schema: the value with every default filled in, or all
 * problems, each with its place.
 */
export function validate<S extends z.ZodType>(schema: S, tree: ConfigTree, section: Path = []): Validated<z.output<S>> {
  const context: Context = { tree, known: new WeakMap() };
  const value = valueAt(tree.value, section);
  const result = schema.safeParse(value, { error: (issue) => describe(issue, context.known) });
  const problems = [
    ...problemsOf(result.error?.issues ?? [], section, context),
    ...forbiddenKeys(value, section, tree),
  ];
  if (result.success && problems.length === 0) return { ok: true, value: result.data };
  return { ok: false, problems: inOrder(problems, tree.sources) };
}

/** Called where a schema has no words of its own; only here the schema that complains is known. */
function describe(issue: z.core.$ZodRawIssue, known: KnownKeys): string {
  const shape = issue.inst?._zod.def as { readonly shape?: object } | undefined;
  if (issue.code === 'unrecognized_keys') known.set(issue.keys, Object.keys(shape?.shape ?? {}));
  return expectation(issue);
}

/** In the order in which a reader meets them. */
function inOrder(problems: readonly Problem[], sources: readonly string[]): readonly Problem[] {
  const ranks = new Map<string | undefined, number>(sources.map((source, i) => [source, i]));
  const rank = ({ file }: Problem): number => ranks.get(file) ?? 0;
  return problems.toSorted(
    (a, b) => rank(a) - rank(b) || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  );
}

/** `base`: where the paths of these issues begin. */
function problemsOf(issues: readonly Issue[], base: Path, context: Context): Problem[] {
  const { tree, known } = context;
  const misspelt = misspeltPlaces(issues, known);
  const isThere = (issue: Issue): boolean => valueAt(tree.value, pathOf(issue, base)) !== undefined;
  return issues
    .filter((issue) => !followsFrom(misspelt, issue, isThere(issue)))
    .flatMap((issue) => problemsOfOne(issue, base, context));
}

function problemsOfOne(issue: Issue, base: Path, context: Context): Problem[] {
  const { tree, known } = context;
  const path = pathOf(issue, base);
  if (issue.code === 'unrecognized_keys') return unknownKeys(issue.keys, known.get(issue.keys) ?? [], path, tree);
  if (issue.code === 'invalid_key') {
    const [inner] = issue.issues;
    const message = `${inner?.message || 'expected another key'}, got the key ${quote(String(path.at(-1)))}`;
    return [{ severity: 'error', ...tree.placeOfKey(path), path: formatPath(path), message }];
  }
  const value = valueAt(tree.value, path);
  if (issue.code === 'invalid_union') {
    const option = meantOption(issue.errors, path, tree);
    if (option !== undefined) return problemsOf(option, path, context);
  }
  return [{ severity: 'error', ...tree.placeOf(path), path: formatPath(path), message: messageOf(issue, value, path) }];
}

const pathOf = (issue: Issue, base: Path): Path => [
  ...base,
  ...issue.path.map((key) => (typeof key === 'number' ? key : String(key))),
];

function unknownKeys(keys: readonly string[], known: readonly string[], path: Path, tree: ConfigTree): Problem[] {
  // Said once, for all kinds of maps, by forbiddenKeys.
  return keys
    .filter((key) => key !== '__proto__')
    .map((key) => {
      const meant = suggest(key, known);
      const hint = meant === undefined ? `expected one of ${known.join(', ')}` : `did you mean "${meant}"?`;
      const at = [...path, key];
      const message = `unknown key ${quote(key)}, ${hint}`;
      return { severity: 'error', ...tree.placeOfKey(at), path: formatPath(at), message };
    });
}

/** Zod leaves `__proto__` out of what it parses; in a map of free names it would be gone without a word. */
function forbiddenKeys(root: unknown, base: Path, tree: ConfigTree): Problem[] {
  const problems: Problem[] = [];
  const seen = new Set<unknown>();
  const waiting: { readonly value: unknown; readonly path: Path }[] = [{ value: root, path: base }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, path } = next;
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    const isList = Array.isArray(value);
    for (const [key, inner] of Object.entries(value)) {
      const at = [...path, isList ? Number(key) : key];
      if (key !== '__proto__') waiting.push({ value: inner, path: at });
      else {
        const message = 'unknown key "__proto__", expected another name';
        problems.push({ severity: 'error', ...tree.placeOfKey(at), path: formatPath(at), message });
      }
    }
  }
  return problems;
}

/**
 * The issues of the option of a union that was probably meant: among those that take this kind of value, the one with the
 * fewest unknown and missing keys; none where two come as close.
 */
function meantOption(
  options: readonly (readonly Issue[])[],
  path: Path,
  tree: ConfigTree,
): readonly Issue[] | undefined {
  const [best, second] = options
    .filter((issues) => !issues.some((issue) => issue.path.length === 0 && ofAnotherKind(issue)))
    .map((issues) => ({ issues, wrong: issues.reduce((sum, issue) => sum + misfits(issue, path, tree), 0) }))
    .sort((a, b) => a.wrong - b.wrong);
  return best !== undefined && best.wrong !== second?.wrong ? best.issues : undefined;
}

const ofAnotherKind = ({ code }: Issue): boolean =>
  code === 'invalid_type' || code === 'invalid_value' || code === 'custom';

function misfits(issue: Issue, base: Path, tree: ConfigTree): number {
  if (issue.code === 'unrecognized_keys') return issue.keys.length;
  return valueAt(tree.value, pathOf(issue, base)) === undefined ? 1 : 0;
}

function valueAt(value: unknown, path: Path): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Record<string | number, unknown>)[key];
  }
  return found;
}

/** `expected …, got …`; a refinement across several keys says all of it itself. */
function messageOf(issue: Issue, value: unknown, path: Path): string {
  if (issue.code !== 'custom') return `${issue.message || expectedOf(issue)}, got ${show(value, path)}`;
  const params = issue.params as Partial<FieldParams> | undefined;
  if (params?.field !== true) return issue.message;
  const found = params.secret === true ? kindOf(value) : show(value, path);
  return `${issue.message}, got ${found}${params.reason === undefined ? '' : `; ${params.reason}`}`;
}

/** What any of the options expected of the value as a whole. */
function expectedOf(issue: Issue): string {
  if (issue.code !== 'invalid_union') return 'expected another value';
  if ('options' in issue && Array.isArray(issue.options)) return `expected one of ${issue.options.join(', ')}`;
  const expected = issue.errors.flatMap((issues) =>
    issues.filter(({ path }) => path.length === 0).map((inner) => inner.message || expectedOf(inner)),
  );
  const words = [...new Set(expected.map((message) => message.replace(/^expected /, '')))];
  return words.length === 0 ? 'expected another value' : `expected ${words.join(' or ')}`;
}
