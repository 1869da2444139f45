import type { Secret } from '@chain407/auth';
import type { ReadSecret, SecretSource } from '../config/secret-source.ts';
import type { FileIdentity } from './file-change.ts';
import { identityOf, onFileChange } from './file-change.ts';
import type { ReadOptions } from './read-source.ts';
import { readSource } from './read-source.ts';

export interface SecretOptions extends Omit<ReadOptions, 'signal'> {
  /** Milliseconds after which the output of a command is read again. Default: only on demand. */
  readonly lifetime?: number;
  /** Hears why a secret could not be read again; the old one is kept. Once per reason, until it is read again. */
  readonly onProblem?: (message: string) => void;
  /** Milliseconds between looks at a file whose changes the system does not tell. Default 5000. */
  readonly pollInterval?: number;
}

export type OpenedSecret =
  | { readonly ok: true; readonly secret: LiveSecret }
  | { readonly ok: false; readonly message: string };

/** Reads a secret for the first time, and from then on follows its source until it is closed. */
export async function openSecret(source: SecretSource, options: SecretOptions = {}): Promise<OpenedSecret> {
  // Before it is read: what changes meanwhile is not missed.
  const version = versionOf(source);
  const read = await readSource(source, options);
  return read.ok ? { ok: true, secret: new LiveSecret(source, version, read.secret, options) } : read;
}

/** What a source is followed by: the identity of its file, or that it can only be read again. */
type Version = { readonly path: string; readonly since: FileIdentity } | 'on-demand' | 'fixed';

function versionOf(source: SecretSource): Version {
  if (source.kind === 'command' || source.kind === 'keyring') return 'on-demand';
  if (source.kind !== 'file') return 'fixed';
  // A pipe (`/dev/stdin`, `<(pass show corp)`) is read once: there is nothing in it any more.
  const since = identityOf(source.path);
  return since === undefined ? 'fixed' : { path: source.path, since };
}

/**
 * A secret that may become another one while it is used. Files are read again when they change, a command when its
 * `lifetime` is over, all of them (and a keyring) on demand: {@link LiveSecret.refresh}.
 */
export class LiveSecret {
  readonly #source: SecretSource;
  readonly #options: SecretOptions;
  /** False: there is never anything new. */
  #following: boolean;
  #current: Secret;
  #reading: Promise<boolean> | undefined;
  /** The source has changed after its reading had begun. */
  #outdated = false;
  #problem: string | undefined;
  #ageing: NodeJS.Timeout | undefined;
  readonly #listeners = new Set<(secret: Secret) => void>();
  readonly #closed = new AbortController();
  readonly #unwatch: () => void;

  /** Use {@link openSecret}. */
  constructor(source: SecretSource, version: Version, first: Secret, options: SecretOptions) {
    this.#source = source;
    this.#current = first;
    this.#following = version !== 'fixed';
    this.#options = options;
    this.#unwatch = typeof version === 'object' ? this.#watch(version.path, version.since) : () => undefined;
    this.#age();
  }

  /** The secret as it was last read. */
  get current(): Secret {
    return this.#current;
  }

  /** Reads the source again now; whoever asks meanwhile gets the same answer. True: the secret is another one. */
  refresh(): Promise<boolean> {
    if (!this.#following) return Promise.resolve(false);
    this.#reading ??= this.#readAgain().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** Reads the source again now, after a rejection: what to try next. */
  async renew(): Promise<Secret> {
    await this.refresh();
    return this.#current;
  }

  /** Calls `listener` with each new secret, until what this returns is called. */
  onChange(listener: (secret: Secret) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Follows the source no longer; a command under way is ended. The last secret stays. */
  close(): void {
    this.#following = false;
    this.#listeners.clear();
    clearTimeout(this.#ageing);
    this.#unwatch();
    this.#closed.abort();
  }

  #watch(path: string, since: FileIdentity): () => void {
    return onFileChange(
      path,
      since,
      () => {
        this.#outdated = true;
        void this.refresh();
      },
      this.#options.pollInterval,
    );
  }

  async #readAgain(): Promise<boolean> {
    let changed = false;
    do {
      this.#outdated = false;
      const read = await readSource(this.#source, { ...this.#options, signal: this.#closed.signal });
      if (!this.#following) return false;
      changed = this.#take(read) || changed;
    } while (this.#outdated);
    this.#age();
    return changed;
  }

  #take(read: ReadSecret): boolean {
    if (!read.ok) {
      if (read.message !== this.#problem) this.#options.onProblem?.(read.message);
      this.#problem = read.message;
      return false;
    }
    this.#problem = undefined;
    if (read.secret.reveal() === this.#current.reveal()) return false;
    this.#current = read.secret;
    for (const listener of [...this.#listeners]) listener(read.secret);
    return true;
  }

  #age(): void {
    const { lifetime } = this.#options;
    clearTimeout(this.#ageing);
    if (lifetime === undefined || this.#source.kind !== 'command') return;
    this.#ageing = setTimeout(() => void this.refresh(), lifetime).unref();
  }
}
