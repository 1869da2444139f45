import type { Node, Pair } from 'yaml';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { formatPath, type Problem } from './problem.ts';
import type { Entry, Path, Place, Written } from './written.ts';

/** Far beyond any configuration, far below the stack. */
const MAX_DEPTH = 64;
/** How many values all aliases together may stand for; stops a text that unfolds without end. */
const MAX_ALIASED = 10_000;

/** Where a text comes from. `path`: the keys that its value will stand under. */
export interface Origin {
  readonly path: Path;
  placeAt(line: number, column: number): Place;
}

/** A YAML 1.2 text with the place of each key and value; `undefined` where `problems` says why. An empty text is null. */
export function readYaml(text: string, origin: Origin, problems: Problem[]): Written | undefined {
  const lines = new LineCounter();
  const placeAt = (offset = 0): Place => {
    const { line, col } = lines.linePos(offset);
    return origin.placeAt(Math.max(line, 1), Math.max(col, 1));
  };
  const before = problems.length;
  const complain = (offset: number | undefined, path: Path, message: string): void => {
    problems.push({ severity: 'error', ...placeAt(offset), path: formatPath(path), message });
  };
  try {
    const document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: false,
      schema: 'core',
      resolveKnownTags: false,
    });
    // A tag that means nothing here (a warning to the parser) would quietly change what a value is.
    for (const { pos, code, message } of [...document.errors, ...document.warnings]) {
      complain(pos[0], origin.path, SYNTAX.get(code) ?? withoutSource(message));
    }
    if (problems.length > before) return undefined;
    const written = convert(document.contents, origin.path, placeAt, complain);
    return problems.length > before ? undefined : written;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    complain(undefined, origin.path, 'is nested too deeply');
    return undefined;
  }
}

const SYNTAX: ReadonlyMap<string, string> = new Map([
  ['MULTIPLE_DOCS', 'expected one document, got another one after ---'],
  ['TAG_RESOLVE_FAILED', 'expected a value without a tag; a text that begins with ! needs quotes'],
  ['BAD_DQ_ESCAPE', 'Invalid escape sequence; a text with \\ is best in single quotes'],
]);

/** The parser quotes what it stumbled over, which can be part of a secret. */
const withoutSource = (message: string): string => message.replace(/(?<=\S): .*$/s, '');

type Complain = (offset: number | undefined, path: Path, message: string) => void;

function convert(
  root: Node | null,
  rootPath: Path,
  placeAt: (offset?: number) => Place,
  complain: Complain,
): Written | undefined {
  // In the order of the text: an alias means the latest anchor before it (YAML 1.2.2 §7.1).
  const anchors = new Map<string, { readonly written: Written | undefined; readonly size: number }>();
  let size = 0;
  let aliased = 0;

  const read = (node: Node | null, path: Path): Written | undefined => {
    const start = node?.range?.[0];
    if (path.length - rootPath.length > MAX_DEPTH)
      return fail(start, path, `expected at most ${MAX_DEPTH} levels of lists and maps`);
    if (isAlias(node)) return readAlias(node.source, start, path);
    const anchor = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined;
    if (anchor !== undefined) anchors.set(anchor, { written: undefined, size: 0 });
    const sizeBefore = size;
    size += 1;
    const written = readContent(node, placeAt(start), path);
    if (anchor !== undefined) anchors.set(anchor, { written, size: size - sizeBefore });
    return written;
  };

  const fail = (offset: number | undefined, path: Path, message: string): undefined => {
    complain(offset, path, message);
  };

  const readAlias = (name: string, start: number | undefined, path: Path): Written | undefined => {
    const target = anchors.get(name);
    if (target === undefined)
      return fail(start, path, 'expected an anchor (&) before this alias; a text that begins with * needs quotes');
    if (target.written === undefined)
      return fail(start, path, 'expected an alias to something complete, got one to what it stands in');
    size += target.size;
    aliased += target.size;
    if (aliased > MAX_ALIASED)
      return fail(start, path, `expected aliases that unfold to ${MAX_ALIASED} values at most`);
    return target.written;
  };

  const readContent = (node: Node | null, place: Place, path: Path): Written | undefined => {
    if (isMap(node)) return { kind: 'map', place, entries: readEntries(node.items as Pair<Node, Node>[], path) };
    if (!isSeq(node)) return { kind: 'scalar', place, value: isScalar(node) ? node.value : null };
    const items = (node.items as Node[]).map((item, i) => read(item, [...path, i]));
    return { kind: 'list', place, items: items.filter((item) => item !== undefined) };
  };

  const readEntries = (pairs: readonly Pair<Node | null, Node | null>[], path: Path): Map<string, Entry> => {
    const entries = new Map<string, Entry>();
    const inherited: Written[] = [];
    for (const { key: keyNode, value: valueNode } of pairs) {
      const start = keyNode?.range?.[0];
      if (isScalar(keyNode) && keyNode.source === '<<' && keyNode.type === 'PLAIN') {
        const source = read(valueNode, [...path, '<<']);
        const sources = source?.kind === 'list' ? source.items : [source].filter((one) => one !== undefined);
        if (sources.some(({ kind }) => kind !== 'map'))
          complain(start, [...path, '<<'], 'expected a map to merge, or a list of maps');
        inherited.push(...sources);
        continue;
      }
      if (!isScalar(keyNode)) {
        complain(start, path, 'expected a text as a key');
        continue;
      }
      const key = keyNode.source ?? String(keyNode.value);
      const first = entries.get(key);
      if (first !== undefined)
        complain(start, path, `Map keys must be unique, got "${key}" again after line ${first.key.line ?? 1}`);
      const value = read(valueNode, [...path, key]);
      if (value !== undefined) entries.set(key, { key: placeAt(start), value });
    }
    // What is written here wins over what is merged in, and earlier sources over later ones.
    for (const source of inherited) {
      if (source.kind !== 'map') continue;
      for (const [key, entry] of source.entries) if (!entries.has(key)) entries.set(key, entry);
    }
    return entries;
  };

  return read(root, rootPath);
}
