import { MASK } from '@chain407/auth';
import type { Path } from './written.ts';

/** Keys whose value is, or may be, a secret: a message shows only what kind of value it is. */
const SECRET_KEY = /^(?:password|passphrase|token|hash|value|secret|ntHash)$/i;

const mayBeSecret = (path: Path): boolean => path.some((key) => typeof key === 'string' && SECRET_KEY.test(key));

/** Without `user:password@`, with or without a scheme before it; also where the password holds a `/` or an `@`. */
function withoutUserinfo(text: string): string {
  const end = text.lastIndexOf('@');
  if (end < 0) return text;
  const start = text.indexOf('://');
  if (start >= 0 && start < end) return `${text.slice(0, start + 3)}${MASK}${text.slice(end)}`;
  return text.slice(0, end).includes(':') ? `${MASK}${text.slice(end)}` : text;
}

const shorten = (text: string): string => (text.length > 60 ? `${text.slice(0, 59)}…` : text);

/** A text in quotes: on one line, of bounded length. */
export const quote = (text: string): string => JSON.stringify(shorten(text));

/** A value as a message may show it: short, and never a secret. */
export function show(value: unknown, path: Path = []): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'nothing (an empty value)';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (mayBeSecret(path)) return kindOf(value);
  return typeof value === 'string' ? quote(withoutUserinfo(value)) : shorten(String(value));
}

/** What kind of value it is, for one that must not be shown. */
export function kindOf(value: unknown): string {
  if (typeof value === 'object' || value === undefined) return show(value);
  return `a ${value === true || value === false ? 'true or false' : typeof value}`;
}

/** `KEY=VALUE` of an override; `KEY=…` where the value is, or may hold, a secret, and `KEY…` where there is no `=`. */
export function showOverride(key: string, text: string | undefined): string {
  if (text === undefined) return key.replace(/[^\w.-].*$/s, '…');
  // Maps are not looked into: a text that is no YAML has no keys to go by. Without a key anything may have been meant.
  const hidden = key === '' || mayBeSecret(key.split('.')) || /\{|["']\s*:|:\s|\n/.test(text);
  return `${key}=${hidden ? '…' : shorten(withoutUserinfo(text))}`;
}
