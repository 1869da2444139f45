import { createHash, timingSafeEqual } from 'node:crypto';
import { createRequire } from 'node:module';
import type { MaybePromise, Secret } from '@chain407/auth';
import { hash as bcryptHash, verify as bcryptVerify } from '@node-rs/bcrypt';

/** Required, not imported: its types say `default` where its CommonJS has none. Gives the hash with the salt of `hash`. */
const apacheMd5 = createRequire(import.meta.url)('apache-md5') as (password: string, hash: string) => string;

/** A stored form of a password and how one is checked against it. */
export interface StoredPassword {
  /** True where the password fits. Takes the same time whether it does or not. */
  matches(password: Secret): MaybePromise<boolean>;
  /** How long a check takes, in rounds of bcrypt: the slowest is what an unknown user is checked against. */
  readonly cost: number;
}

interface HashKind {
  readonly form: RegExp;
  cost(hash: string): number;
  verify(password: string, hash: string): MaybePromise<boolean>;
}

/** Equal, compared in constant time: over digests, so that lengths do not matter. */
function sameText(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** In bytes; the longest that htpasswd takes. apr1 hashes a password a thousand times: a longer one would hold all else up. */
const MAX_APR1_PASSWORD = 255;

function verifyApr1(password: string, hash: string): boolean {
  // The library hashes the low byte of each character.
  const bytes = Buffer.from(password, 'utf8').toString('latin1');
  return bytes.length <= MAX_APR1_PASSWORD && sameText(apacheMd5(bytes, hash), hash);
}

/** In bytes: what bcrypt looks at. A longer password would be taken whatever it ends in. */
export const MAX_BCRYPT_PASSWORD = 72;

function verifyBcrypt(password: string, hash: string): Promise<boolean> {
  // Checked all the same, so that the time taken tells nothing.
  const fits = Buffer.byteLength(password) <= MAX_BCRYPT_PASSWORD;
  return bcryptVerify(password, hash).then((good) => good && fits);
}

/** The kinds that Apache's htpasswd writes, but for crypt(3) and plain text. */
const KINDS: readonly HashKind[] = [
  {
    // Computed off the main thread. A cost beyond 17 takes the better part of a minute, each time somebody logs in.
    form: /^\$2[aby]\$(?:0[4-9]|1[0-7])\$[./A-Za-z0-9]{53}$/,
    cost: (hash) => 2 ** Number(hash.slice(4, 6)),
    verify: verifyBcrypt,
  },
  {
    form: /^\$apr1\$[./A-Za-z0-9]{1,8}\$[./A-Za-z0-9]{22}$/,
    // Measured: it takes longer than bcrypt of cost 4, and less than of cost 5.
    cost: () => 2 ** 4.5,
    verify: verifyApr1,
  },
  {
    form: /^\{SHA\}[A-Za-z0-9+/]{27}=$/,
    cost: () => 1,
    verify: (password, hash) => sameText(`{SHA}${createHash('sha1').update(password).digest('base64')}`, hash),
  },
];

/** What a hash may look like, for messages. */
export const HASH_FORMS =
  'a bcrypt ($2b$…, cost 4 to 17), apr1 ($apr1$…) or {SHA} hash; `chain407 hash` and `htpasswd -B` print one';

/** The stored password behind a hash, or `undefined` where it is of no kind we know. */
export function fromHash(hash: string): StoredPassword | undefined {
  const kind = KINDS.find(({ form }) => form.test(hash));
  return kind && { cost: kind.cost(hash), matches: (password) => kind.verify(password.reveal(), hash) };
}

/** A password that is known in the clear. */
export function fromSecret(secret: Secret): StoredPassword {
  return { cost: 0, matches: (password) => sameText(password.reveal(), secret.reveal().normalize('NFC')) };
}

/** Precedent: the default of the library, about a quarter of a second. */
const BCRYPT_COST = 12;

/** A bcrypt hash for `users` or an htpasswd file. The text is normalised as Basic will send it. */
export function hashPassword(password: Secret): Promise<string> {
  return bcryptHash(password.reveal().normalize('NFC'), { cost: BCRYPT_COST });
}
