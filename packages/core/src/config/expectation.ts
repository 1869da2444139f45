import type { z } from 'zod';

type RawIssue = z.core.$ZodRawIssue;

const TYPES: ReadonlyMap<string, string> = new Map([
  ['string', 'a string'],
  ['number', 'a number'],
  ['int', 'an integer'],
  ['boolean', 'true or false'],
  ['array', 'a list'],
  ['object', 'a map'],
  ['record', 'a map'],
  ['null', 'nothing'],
]);

/** What a schema expected, where it does not say so itself; empty for what only its parts can say. */
export function expectation(issue: RawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${isNumber(issue) ? number(issue) : (TYPES.get(issue.expected) ?? issue.expected)}`;
    case 'invalid_value':
      return `expected ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`;
    case 'too_small':
    case 'too_big':
      return `expected ${isNumber(issue) ? number(issue) : extent(issue)}`;
    case 'invalid_format':
      return `expected a string of the form ${issue.format}`;
    case 'not_multiple_of':
      return `expected a multiple of ${issue.divisor}`;
    default:
      return '';
  }
}

type Extent = Extract<RawIssue, { code: 'too_small' | 'too_big' }>;

const isNumber = (issue: RawIssue): boolean =>
  issue.code === 'invalid_type'
    ? issue.expected === 'number' || issue.expected === 'int'
    : issue.code === 'too_small' || issue.code === 'too_big'
      ? issue.origin === 'number' || issue.origin === 'int'
      : false;

/** What a number's schema says of all its checks together. */
type NumberSchema = Partial<Pick<z.ZodNumber, 'format' | 'minValue' | 'maxValue'>>;

/** The whole of what a number may be, not only the side on which it failed: `an integer 1-65535`. */
function number(issue: RawIssue): string {
  const { format, minValue, maxValue } = (issue.schema ?? issue.inst ?? {}) as NumberSchema;
  const kind = format === 'safeint' ? 'an integer' : 'a number';
  const [from, to] = [bound(minValue), bound(maxValue)];
  if (from === undefined) return to === undefined ? kind : `${kind} of at most ${to}`;
  return to === undefined ? `${kind} of at least ${from}` : `${kind} ${from}-${to}`;
}

const bound = (value: unknown): number | undefined =>
  typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER ? value : undefined;

function extent(issue: Extent): string {
  const limit = Number(issue.code === 'too_small' ? issue.minimum : issue.maximum);
  const what = issue.origin === 'string' ? 'character' : issue.origin === 'array' ? 'entry' : 'key';
  if (issue.code === 'too_small' && limit === 1)
    return issue.origin === 'string' ? 'a string that is not empty' : `at least one ${what}`;
  const plural = { character: 'characters', entry: 'entries', key: 'keys' }[what];
  return `${issue.code === 'too_small' ? 'at least' : 'at most'} ${limit} ${plural}`;
}
