import { open } from 'node:fs/promises';
import type { ReadSecret, SecretSource } from '../config/secret-source.ts';
import { readVariable } from '../config/secret-source.ts';
import { fileProblem } from '../config/unreadable.ts';
import { readCommand } from './command-secret.ts';
import type { LoadKeyring } from './keyring-secret.ts';
import { readKeyring } from './keyring-secret.ts';
import { MAX_SECRET_BYTES, secretOfBytes } from './secret-text.ts';

export interface ReadOptions {
  /** Milliseconds that a command may take. Default 10000. */
  readonly commandTimeout?: number;
  /** Default: `@napi-rs/keyring`. */
  readonly loadKeyring?: LoadKeyring;
  readonly signal?: AbortSignal;
}

/** A vault or a directory answers in seconds; a program that asks a person at the terminal never would. */
const COMMAND_TIMEOUT = 10_000;

/** Reads a secret now, from whatever it is in. The message of a failure names the source, never its content. */
export async function readSource(source: SecretSource, options: ReadOptions = {}): Promise<ReadSecret> {
  switch (source.kind) {
    case 'value':
      return { ok: true, secret: source.secret };
    case 'env':
      return readVariable(source.name);
    case 'file':
      return readFile(source.path);
    case 'command': {
      const { commandTimeout: timeout = COMMAND_TIMEOUT, signal } = options;
      return readCommand(source.argv, source.folder, { timeout, signal });
    }
    case 'keyring':
      return readKeyring(source.service, source.account, options.loadKeyring);
    default:
      return source satisfies never;
  }
}

async function readFile(path: string): Promise<ReadSecret> {
  try {
    const bytes = await readBounded(path);
    const read = secretOfBytes(bytes);
    return read.ok ? read : { ok: false, message: `the file ${path} ${read.why}` };
  } catch (error) {
    return { ok: false, message: fileProblem(path, error) };
  }
}

/** Up to one byte more than a secret may have. */
async function readBounded(path: string): Promise<Buffer> {
  const handle = await open(path);
  try {
    const bytes = Buffer.alloc(MAX_SECRET_BYTES + 1);
    let size = 0;
    for (;;) {
      const { bytesRead } = await handle.read(bytes, size, bytes.byteLength - size);
      size += bytesRead;
      if (bytesRead === 0 || size === bytes.byteLength) return bytes.subarray(0, size);
    }
  } finally {
    await handle.close();
  }
}
