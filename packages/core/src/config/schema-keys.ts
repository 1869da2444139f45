import { distance } from 'fastest-levenshtein';
import type { z } from 'zod';
import type { Path } from './tree.ts';

/** The parts of zod's definitions that lead from a schema to the ones inside it. */
interface Definition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly options?: readonly z.ZodType[];
}

const definitionOf = (schema: z.ZodType): Definition => schema._zod.def as unknown as Definition;

/** The keys that a schema allows in the map at `path`. */
export function keysAt(schema: z.ZodType, path: Path): string[] {
  const definition = definitionOf(schema);
  const { shape, element, valueType, options } = definition;
  const inside = definition.innerType ?? definition.in;
  if (inside !== undefined) return keysAt(inside, path);
  if (options !== undefined) return options.flatMap((option) => keysAt(option, path));
  const [key, ...rest] = path;
  if (key === undefined) return Object.keys(shape ?? {});
  if (shape !== undefined) {
    const next = Object.hasOwn(shape, key) ? shape[key] : undefined;
    return next === undefined ? [] : keysAt(next, rest);
  }
  const next = element ?? valueType;
  return next === undefined ? [] : keysAt(next, rest);
}

/** The known key that was probably meant. */
export function suggest(written: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((key) => ({ key, steps: distance(written.toLowerCase(), key.toLowerCase()) }))
    .sort((a, b) => a.steps - b.steps);
  return best !== undefined && best.steps <= Math.max(2, Math.floor(best.key.length / 3)) ? best.key : undefined;
}
