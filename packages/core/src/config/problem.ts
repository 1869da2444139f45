import { quote } from './show.ts';

/** Something wrong in a configuration, and where. `line` and `column` start at 1. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  /** The file as it was named, or `--set KEY=VALUE`; absent for a configuration that came as an object. */
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** `downstream.upstreams.corp-a.url`; empty for the whole. */
  readonly path: string;
  /** What was expected and what was found. Never holds a secret. */
  readonly message: string;
}

/** `FILE:LINE:COL: path: message`, less what is not known. */
export function formatProblem({ severity, file, line, column, path, message }: Problem): string {
  const place = [file, line, column].filter((part) => part !== undefined).join(':');
  return [place, path, severity === 'warning' ? `warning: ${message}` : message]
    .filter((part) => part !== '')
    .join(': ');
}

/** `routes[0].via`, `hosts["origin.test"]` */
export function formatPath(path: readonly (string | number)[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    if (!/^[\w-]{1,60}$/.test(key)) return `${text}[${quote(key)}]`;
    return text === '' ? key : `${text}.${key}`;
  }, '');
}

/** A configuration that cannot be used, with every problem in it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'));
    this.problems = problems;
  }
}
