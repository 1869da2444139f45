import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Secret } from '@chain407/auth';
import type { z } from 'zod';
import { field } from './fields.ts';

/** Where a secret is to be had. `value` is the only one that stands in the configuration itself. */
export type SecretSource =
  | { readonly kind: 'env'; readonly name: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'value'; readonly secret: Secret };

/** `{env: NAME}`, `{file: PATH}`, or for the lab `{value: text}`. */
export function secretSource(baseDir: string): z.ZodType<SecretSource> {
  return field(
    '{ env: NAME }, { file: PATH } or { value: text }; a bare text would be a secret in the open',
    (value) => {
      if (typeof value !== 'object' || value === null) return undefined;
      const [entry, second] = Object.entries(value);
      if (entry === undefined || second !== undefined) return undefined;
      const [kind, text] = entry;
      if (typeof text !== 'string' || text === '') return undefined;
      if (kind === 'env') return { kind, name: text };
      if (kind === 'file') return { kind, path: resolve(baseDir, text) };
      return kind === 'value' ? { kind, secret: new Secret(text) } : undefined;
    },
  );
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
      if (text === undefined || text === '')
        return { ok: false, message: `the environment variable ${source.name} is not set` };
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
    return {
      ok: false,
      message: `the file ${path} cannot be read: ${code === 'ENOENT' ? 'there is no such file' : message}`,
    };
  }
}
