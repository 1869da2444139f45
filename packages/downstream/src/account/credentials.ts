import type { ClientScheme, Known } from '@chain407/auth';
import type { Account, SchemeChoice, SecretPort } from './account.ts';
import { clientsOf, unfitFor } from './account.ts';
import type { LockoutOptions } from './lockout.ts';
import { LockoutGuard } from './lockout.ts';
import type { Ledger } from './lockout-ledger.ts';
import { fingerprint } from './lockout-ledger.ts';

export interface CredentialOptions {
  readonly name: string;
  readonly account: Account;
  readonly schemes: readonly SchemeChoice[];
  readonly mayGoTo: (host: string, port: number) => boolean;
  readonly lockout: Omit<LockoutOptions, 'ledger'>;
  /** Where others try the same account: what all know of it, under a key that names the account and its secret. */
  readonly ledger?: (key: string) => Ledger;
  /** Hears why a secret that changed cannot be used; the old one stays in use. */
  readonly onProblem?: (message: string) => void;
}

/** Milliseconds between two looks at the secrets of credentials that are held back. */
const LOOK_AGAIN = 15_000;

/** An account of ours, ready for use: how it authenticates, where it may go, and whether it still may. */
export class Credential {
  readonly name: string;
  /** True where the credentials may be sent to this upstream. */
  readonly mayGoTo: (host: string, port: number) => boolean;
  readonly guard: LockoutGuard;
  /** What worked last, by upstream name: the next request needs no question. */
  readonly known = new Map<string, Known>();
  readonly #options: CredentialOptions;
  readonly #secrets: readonly SecretPort[];
  #schemes: readonly ClientScheme[];
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(options: CredentialOptions) {
    const { name, account, schemes, mayGoTo, lockout } = options;
    const { password, ntHash, token } = account;
    this.name = name;
    this.mayGoTo = mayGoTo;
    this.#options = options;
    this.#schemes = clientsOf(account, schemes);
    this.#secrets = [password, ntHash, token].filter((secret) => secret !== undefined);
    this.guard = new LockoutGuard({ ...lockout, ...this.#shared() });
    for (const secret of this.#secrets) secret.onChange(() => this.#changed());
  }

  /** What the configuration allows, strongest first. */
  get schemes(): readonly ClientScheme[] {
    return this.#schemes;
  }

  /** An upstream refused a complete attempt: counted, and the secret is read again, should it be another one by now. */
  rejected(reason: string): void {
    // What other upstreams took before is no longer known to be good either: one attempt at a time.
    this.known.clear();
    this.guard.rejected(reason);
    this.#lookedAt = Number.NEGATIVE_INFINITY;
    this.lookAgain();
  }

  /** While they are held back, now and then: what no event tells of (a command, a keyring) may have been put right. */
  lookAgain(): void {
    const now = this.#options.lockout.now();
    if (now - this.#lookedAt < LOOK_AGAIN) return;
    this.#lookedAt = now;
    for (const secret of this.#secrets) void secret.refresh();
  }

  close(): void {
    for (const secret of this.#secrets) secret.close();
    this.#options.account.kerberos?.close();
    this.guard.close();
  }

  #changed(): void {
    const { name, account, schemes, onProblem } = this.#options;
    const unfit = unfitFor(account, schemes);
    if (unfit !== undefined) {
      onProblem?.(`the new secret of the credentials "${name}" is not used: ${unfit}`);
      return;
    }
    this.#schemes = clientsOf(account, schemes);
    this.known.clear();
    this.guard.reopen(this.#shared().ledger);
  }

  #shared(): { readonly ledger?: Ledger } {
    const { name, ledger } = this.#options;
    if (ledger === undefined) return {};
    const secrets = this.#secrets.map(({ current }) => current);
    return { ledger: ledger(`${name}:${fingerprint(name, secrets)}`) };
  }
}
