import { resolve } from 'node:path';
import { Secret } from '@chain407/auth';
import type { z } from 'zod';
import type { Because } from './fields.ts';
import { field } from './fields.ts';

/** Where a secret is to be had. `value` is the only one that stands in the configuration itself. */
export type SecretSource =
  | { readonly kind: 'env'; readonly name: string }
  | { readonly kind: 'file'; readonly path: string }
  /** A program and its arguments, run in `folder`. */
  | { readonly kind: 'command'; readonly argv: readonly [string, ...string[]]; readonly folder: string }
  | { readonly kind: 'keyring'; readonly service: string; readonly account: string }
  | { readonly kind: 'value'; readonly secret: Secret };

type Kind = SecretSource['kind'];

/** How each form is read; `undefined`, with the reason said, where it will not do. */
const FORMS: {
  readonly [K in Kind]: (value: unknown, baseDir: string, because: Because) => SecretSource | undefined;
} = {
  env: textOf('env', (name, because) =>
    // Its name is shown where it is not set: it had better not be the secret itself.
    /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)
      ? { kind: 'env', name }
      : because('env needs the name of an environment variable'),
  ),
  file: textOf('file', (path, _because, baseDir) => ({ kind: 'file', path: resolve(baseDir, path) })),
  command: (value, baseDir, because) => {
    const argv: readonly unknown[] = Array.isArray(value) ? value : [];
    return isArgv(argv)
      ? { kind: 'command', argv, folder: baseDir }
      : because('command needs a list of texts, the program first: [pass, show, corp]');
  },
  keyring: textOf('keyring', (text, because) => {
    // Services are often addresses, with slashes of their own.
    const [, service, account] = /^(.+)\/([^/]+)$/s.exec(text) ?? [];
    return service === undefined || account === undefined
      ? because('keyring needs service/account')
      : { kind: 'keyring', service, account };
  }),
  value: textOf('value', (text) => ({ kind: 'value', secret: new Secret(text) })),
};

/**
 * `{env: NAME}`, `{file: PATH}`, `{command: [argv…]}` (without a shell; relative paths start at `baseDir`, where it is
 * run, too), `{keyring: service/account}` (the account is what follows the last slash), or for the lab `{value: text}`.
 */
export function secretSource(baseDir: string): z.ZodType<SecretSource> {
  return field(
    '{ env: NAME }, { file: PATH }, { command: [argv…] }, { keyring: service/account } or { value: text }',
    (value, because) => {
      if (typeof value === 'string') return because('a bare text would be a secret in the open');
      if (typeof value !== 'object' || value === null) return undefined;
      const [entry, second] = Object.entries(value);
      if (entry === undefined) return undefined;
      if (second !== undefined) return because('one of the forms at a time');
      const [kind, content] = entry;
      return Object.hasOwn(FORMS, kind) ? FORMS[kind as Kind](content, baseDir, because) : undefined;
    },
    { secret: true },
  );
}

type ReadForm = (text: string, because: Because, baseDir: string) => SecretSource | undefined;

function textOf(kind: Kind, read: ReadForm): (typeof FORMS)[Kind] {
  return (value, baseDir, because) => {
    if (typeof value !== 'string') return because(`${kind} needs a text: put it in quotes`);
    return value === '' ? because(`${kind} is empty`) : read(value, because, baseDir);
  };
}

/** No argument that a program could be given may hold a NUL. */
const isArgv = (list: readonly unknown[]): list is readonly [string, ...string[]] =>
  list.length > 0 && list.every((text) => typeof text === 'string' && text !== '' && !text.includes('\0'));

export type ReadSecret =
  | { readonly ok: true; readonly secret: Secret }
  | { readonly ok: false; readonly message: string };

export function readVariable(name: string): ReadSecret {
  const text = process.env[name];
  if (text === undefined) return { ok: false, message: `the environment variable ${name} is not set` };
  if (text === '') return { ok: false, message: `the environment variable ${name} is empty` };
  return { ok: true, secret: new Secret(text) };
}
