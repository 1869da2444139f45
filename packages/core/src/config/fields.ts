import { resolve } from 'node:path';
import { z } from 'zod';

/** Marks the issues of a field: what was found is added where the path is known, since some paths hold secrets. */
export const FIELD = { kind: 'field' } as const;

/**
 * A field with a form of its own: `parse` gives the value, or `undefined` where it is not what `expected` says.
 */
export function field<T>(expected: string, parse: (value: unknown) => T | undefined): z.ZodType<T> {
  return z.unknown().transform((value, context) => {
    const parsed = parse(value);
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: 'custom', message: `expected ${expected}`, params: FIELD });
    return z.NEVER;
  }) as unknown as z.ZodType<T>;
}

const DURATION_UNITS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);
/** Node's timers hold 31 bits of milliseconds. */
const MAX_DURATION = 2 ** 31 - 1;

/** `250ms`, `8s`, `15m`, `1h`, `2d` → milliseconds; a bare 0 is allowed. */
export function duration(): z.ZodType<number> {
  return field('a duration such as 250ms, 8s, 15m or 1h (24 days at most)', (value) => {
    if (value === 0) return 0;
    const [, digits, unit = ''] = /^([0-9]{1,10})(ms|s|m|h|d)$/.exec(String(value)) ?? [];
    const ms = Number(digits) * (DURATION_UNITS.get(unit) ?? Number.NaN);
    return ms <= MAX_DURATION ? ms : undefined;
  });
}

const SIZE_UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['B', 1],
  ['KB', 1000],
  ['MB', 1000 ** 2],
  ['GB', 1000 ** 3],
  ['KiB', 1024],
  ['MiB', 1024 ** 2],
  ['GiB', 1024 ** 3],
]);

/** `512`, `64KiB`, `10MB` → bytes. */
export function size(): z.ZodType<number> {
  return field('a size such as 512, 64KiB or 10MB', (value) => {
    const [, digits, unit = ''] = /^([0-9]{1,12})(B|KB|MB|GB|KiB|MiB|GiB)?$/.exec(String(value)) ?? [];
    const bytes = Number(digits) * (SIZE_UNITS.get(unit) ?? Number.NaN);
    return Number.isSafeInteger(bytes) ? bytes : undefined;
  });
}

/** A path; relative ones start at `baseDir`. */
export function filePath(baseDir: string): z.ZodType<string> {
  return field('the path of a file', (value) =>
    typeof value === 'string' && value !== '' ? resolve(baseDir, value) : undefined,
  );
}
