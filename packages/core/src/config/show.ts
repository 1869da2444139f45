import type { Path } from './tree.ts';

/** Keys whose value is, or may be, a secret: a message shows only what kind of value it is. */
const SECRET_KEY = /^(?:password|token|hash|value|secret|ntHash)$/i;

/** A value as a message may show it: short, and never a secret. */
export function show(value: unknown, path: Path = []): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'nothing (an empty value)';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (path.some((key) => typeof key === 'string' && SECRET_KEY.test(key)))
    return `a ${typeof value === 'string' ? 'text' : typeof value}`;
  const text = (JSON.stringify(value) ?? String(value)).replace(/:\/\/[^/]*@/, '://[secret]@');
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text;
}
