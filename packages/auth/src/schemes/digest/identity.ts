import { Secret } from '../../secret.ts';
import { hashOf, wireText } from './algorithm.ts';
import type { DigestChallenge } from './challenge.ts';
import { nameParams } from './name.ts';
import { ha1, userhash } from './response.ts';

export interface DigestAccount {
  /** As the proxy knows it; of `DOMAIN\user` both parts. */
  readonly username: string;
  readonly password: Secret;
}

/** What one realm gets of an account. */
export interface Identity {
  /** The parameters that carry the name. */
  readonly name: readonly (readonly [string, string])[];
  readonly ha1: Secret;
}

/** A proxy has one realm, or a few. What is beyond is forgotten: it costs a hash to have it again. */
const MAX_KEPT = 16;
// Beyond ISO 8859-1.
const WIDE = /[\u0100-\uffff]/;

/**
 * The identities of an account, each computed once. Without `charset=UTF-8` the proxy may be older than RFC 7616: it
 * hashes ISO 8859-1, and does not know `username*`, so the name goes as the bytes that were hashed.
 */
export function identities(account: DigestAccount): (challenge: DigestChallenge) => Identity {
  const kept = new Map<string, Identity>();
  return (challenge) => {
    const { algorithm, realm, utf8, userhash: hashed } = challenge;
    const key = `${hashOf(algorithm)} ${utf8} ${hashed} ${realm}`;
    const known = kept.get(key);
    if (known !== undefined) return known;
    if (kept.size >= MAX_KEPT) kept.clear();
    const made = identityOf(account, challenge);
    kept.set(key, made);
    return made;
  };
}

function identityOf(account: DigestAccount, { algorithm, realm, utf8, userhash: hashed }: DigestChallenge): Identity {
  const [name, secret] = [account.username, account.password.reveal()].map((text) => text.normalize('NFC'));
  if (name === undefined || secret === undefined) throw new TypeError('an account is a name and a password');
  const latin1 = !utf8 && !WIDE.test(name) && !WIDE.test(secret);
  const [username, password] = latin1 ? [name, secret] : [wireText(name), wireText(secret)];
  const inClear = utf8 ? nameParams({ username: name }) : ([['username', username]] as const);
  return {
    name: hashed ? nameParams({ userhash: userhash(algorithm, username, realm) }) : inClear,
    ha1: new Secret(ha1(algorithm, username, realm, password)),
  };
}
