import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Secret } from '@chain407/auth';
import type { z } from 'zod';
import type { Because } from './fields.ts';
import { field } from './fields.ts';

/** Where a secret is to be had. `value` is the only one that stands in the configuration itself. */
export type SecretSource =
  | { readonly kind: 'env'; readonly name: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'value'; readonly secret: Secret };

/** `{env: NAME}`, `{file: PATH}` (relative ones start at `baseDir`), or for the lab `{value: text}`. */
export function secretSource(baseDir: string): z.ZodType<SecretSource> {
  return field(
    '{ env: NAME }, { file: PATH } or { value: text }',
    (value, because) => {
      if (typeof value === 'string') return because('a bare text would be a secret in the open');
      if (typeof value !== 'object' || value === null) return undefined;
      const [entry, second] = Object.entries(value);
      if (entry === undefined) return undefined;
      if (second !== undefined) return because('one of the forms at a time');
      return sourceOf(entry, baseDir, because);
    },
    { secret: true },
  );
}

function sourceOf([kind, text]: [string, unknown], baseDir: string, because: Because): SecretSource | undefined {
  if (kind !== 'env' && kind !== 'file' && kind !== 'value') return undefined;
  if (typeof text !== 'string') return because(`${kind} needs a text: put it in quotes`);
  if (text === '') return because(`${kind} is empty`);
  if (kind === 'value') return { kind, secret: new Secret(text) };
  if (kind === 'file') return { kind, path: resolve(baseDir, text) };
  // Its name is shown where it is not set: it had better not be the secret itself.
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(text)
    ? { kind, name: text }
    : because('env needs the name of an environment variable');
}

export type ReadSecret =
  | { readonly ok: true; readonly secret: Secret }
  | { readonly ok: false; readonly message: string };

/** Reads a secret now. The message of a failure names the source, never its content. */
export function readSecret(source: SecretSource): ReadSecret {
  switch (source.kind) {
    case 'value':
      return { ok: true, secret: source.secret };
    case 'env': {
      const text = process.env[source.name];
      if (text === undefined) return { ok: false, message: `the environment variable ${source.name} is not set` };
      if (text === '') return { ok: false, message: `the environment variable ${source.name} is empty` };
      return { ok: true, secret: new Secret(text) };
    }
    case 'file':
      return readSecretFile(source.path);
    default:
      return source satisfies never;
  }
}

function readSecretFile(path: string): ReadSecret {
  try {
    // Editors and `echo` end a file with a newline that is no part of the password.
    const text = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
    return text === '' ? { ok: false, message: `the file ${path} is empty` } : { ok: true, secret: new Secret(text) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'this is a folder' : message;
    return { ok: false, message: `the file ${path} cannot be read: ${why}` };
  }
}
