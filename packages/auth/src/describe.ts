import { spellScheme } from './grammar.ts';
import type { Challenge, Credentials } from './message.ts';
import { schemeEntry } from './schemes/registry.ts';
import { MASK } from './secret.ts';

/** A challenge or credentials as they may be shown: the scheme and its fields, decoded, every secret as `[secret]`. */
export interface Described {
  readonly scheme: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** Decodes credentials for people; what is not known to be harmless is masked. */
export function describeCredentials(credentials: Credentials): Described {
  return { scheme: spellScheme(credentials.scheme), fields: fieldsOfCredentials(credentials) };
}

function fieldsOfCredentials(credentials: Credentials): Record<string, string> {
  const { describe, describeToken } = schemeEntry(credentials.scheme) ?? {};
  if (describe !== undefined) return describe(credentials);
  if (describeToken === undefined) return { credentials: MASK };
  return credentials.token68 === undefined ? {} : describeToken(credentials.token68);
}

/** Decodes a challenge for people. Nothing in a challenge is a secret. */
export function describeChallenge({ scheme, token68, params }: Challenge): Described {
  const fields =
    token68 === undefined
      ? Object.fromEntries(params)
      : (schemeEntry(scheme)?.describeToken?.(token68) ?? { token: token68 });
  return { scheme: spellScheme(scheme), fields };
}
