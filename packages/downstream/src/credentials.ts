import type { ClientScheme, Known, Secret } from '@chain407/auth';
import { basicClient } from '@chain407/auth';
import { LockoutGuard, type LockoutOptions } from './lockout.ts';

/** An account of ours, ready for use: how it authenticates, where it may go, and whether it still may. */
export interface Credential {
  readonly name: string;
  /** What the configuration allows, strongest first. */
  readonly schemes: readonly ClientScheme[];
  /** True where the credentials may be sent to this upstream. */
  readonly mayGoTo: (host: string, port: number) => boolean;
  readonly guard: LockoutGuard;
  /** What worked last, by upstream name: the next request needs no question. */
  readonly known: Map<string, Known>;
}

export interface CredentialOptions {
  readonly name: string;
  readonly username: string;
  readonly password: Secret;
  readonly schemes: readonly SchemeChoice[];
  readonly mayGoTo: (host: string, port: number) => boolean;
  readonly lockout: LockoutOptions;
}

/** Schemes that `credentials.*.schemes` may name, strongest first. */
export const SCHEME_CHOICES = ['basic'] as const;
export type SchemeChoice = (typeof SCHEME_CHOICES)[number];

const CLIENTS: { readonly [S in SchemeChoice]: (username: string, password: Secret) => ClientScheme } = {
  basic: basicClient,
};

export function createCredential(options: CredentialOptions): Credential {
  const { name, username, password, mayGoTo, lockout } = options;
  const schemes = SCHEME_CHOICES.filter((choice) => options.schemes.includes(choice));
  return {
    name,
    schemes: schemes.map((choice) => CLIENTS[choice](username, password)),
    mayGoTo,
    guard: new LockoutGuard(lockout),
    known: new Map(),
  };
}
