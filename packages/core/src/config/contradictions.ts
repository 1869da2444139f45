import type { z } from 'zod';

/** What keys together cannot mean. */
export interface Contradiction {
  /** From the value that the schema is for. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/**
 * A schema that also tells what the keys of a value say against each other. `find` gets the value as far as it could be read, also
 * beside other problems, so that all are told at once: parts that are wrong in themselves may be missing.
 */
export function withoutContradictions<S extends z.ZodType>(
  schema: S,
  find: (value: unknown) => Iterable<Contradiction>,
): S {
  return schema.superRefine(
    (value, context) => {
      for (const { path, message } of find(value)) context.addIssue({ code: 'custom', path: [...path], message });
    },
    { when: () => true },
  );
}
