import { spellScheme } from './grammar.ts';
import type { Challenge, Credentials } from './message.ts';
import { describeChallengeOf, describeCredentialsOf } from './schemes/registry.ts';

/** A challenge or credentials as they may be shown: the scheme and its fields, decoded, every secret as `[secret]`. */
export interface Described {
  readonly scheme: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** Decodes credentials for people; what is not known to be harmless is masked. */
export function describeCredentials(credentials: Credentials): Described {
  return { scheme: spellScheme(credentials.scheme), fields: describeCredentialsOf(credentials) };
}

/** Decodes a challenge for people. */
export function describeChallenge(challenge: Challenge): Described {
  return { scheme: spellScheme(challenge.scheme), fields: describeChallengeOf(challenge) };
}
