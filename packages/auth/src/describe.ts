import { spellScheme } from './grammar.ts';
import type { Credentials } from './message.ts';
import { describeCredentialsOf } from './schemes/registry.ts';

/** Credentials as they may be shown: the scheme and its fields, decoded, every secret replaced by `[secret]`. */
export interface DescribedCredentials {
  readonly scheme: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** Decodes credentials for people; what is not known to be harmless is masked. */
export function describeCredentials(credentials: Credentials): DescribedCredentials {
  return { scheme: spellScheme(credentials.scheme), fields: describeCredentialsOf(credentials) };
}
