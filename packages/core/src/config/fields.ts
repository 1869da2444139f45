import { resolve } from 'node:path';
import { z } from 'zod';

/**
 * What a field says of itself in the `params` of its issues; what was found is added where the path is known, since some
 * paths hold secrets.
 */
export interface FieldParams {
  readonly field: true;
  /** Why this value in particular will not do. */
  readonly reason: string | undefined;
  /** Nothing of the value may be shown. */
  readonly secret: boolean;
}

/** Says why a value will not do, as the last thing before `undefined`. */
export type Because = (reason: string) => undefined;

/**
 * A field with a form of its own: `parse` gives the value, or `undefined` (by `because`, where there is more to say) for
 * what is not as `expected` says. `secret`: a message shows nothing of what was found, whatever its key.
 */
export function field<T>(
  expected: string,
  parse: (value: unknown, because: Because) => T | undefined,
  { secret = false }: { readonly secret?: boolean } = {},
): z.ZodType<T> {
  return z.unknown().transform((value, context) => {
    let reason: string | undefined;
    const parsed = parse(value, (text) => {
      reason = text;
    });
    if (parsed !== undefined) return parsed;
    const params: FieldParams = { field: true, reason, secret };
    context.addIssue({ code: 'custom', message: `expected ${expected}`, params: { ...params } });
    return z.NEVER;
  }) as unknown as z.ZodType<T>;
}

/** YAML reads `512` as a number and `64KiB` as a string; a list or a map is neither. */
export function scalarText(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
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
    const [, digits, unit = ''] = /^([0-9]{1,10})(ms|s|m|h|d)$/.exec(scalarText(value) ?? '') ?? [];
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
    const [, digits, unit = ''] = /^([0-9]{1,12})(B|KB|MB|GB|KiB|MiB|GiB)?$/.exec(scalarText(value) ?? '') ?? [];
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
