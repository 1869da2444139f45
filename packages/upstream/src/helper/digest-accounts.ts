import type { MaybePromise } from '@chain407/auth';
import { Secret, whenSettled } from '@chain407/auth';
import { GoodAnswers } from '../users/good-answers.ts';
import type { User } from '../users/user-store.ts';
import type { HelperPool } from './helper-pool.ts';
import { note, reasonOf } from './replies.ts';
import { digestRequest } from './requests.ts';
import { userOf } from './user-of.ts';

export interface HelperAccount {
  readonly principal: User;
  /** `MD5(user ":" realm ":" password)` in lower-case hex: helpers know no other algorithm. */
  readonly ha1: Secret;
}

export interface DigestAccountsOptions {
  readonly pool: HelperPool;
  readonly realm: string;
  /** In milliseconds. */
  readonly now?: () => number;
}

type Found =
  | { readonly kind: 'known'; readonly account: HelperAccount }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unavailable'; readonly log: string };

const HA1 = /^[0-9a-f]{32}$/i;

/**
 * The accounts of Digest where a helper program knows them; `undefined`: there is no such user. One that is known is
 * remembered for a minute, and then given at once.
 */
export function helperDigestAccounts({
  pool,
  realm,
  now = Date.now,
}: DigestAccountsOptions): (
  username: string,
) => MaybePromise<HelperAccount | { readonly unavailable: string } | undefined> {
  const answers = new GoodAnswers<Found>(({ kind }) => kind === 'known', now);
  return (username) =>
    whenSettled(
      answers.answer([username], () => find(pool, username, realm)),
      told,
    );
}

function told(found: Found): HelperAccount | { readonly unavailable: string } | undefined {
  if (found.kind === 'known') return found.account;
  return found.kind === 'unknown' ? undefined : { unavailable: found.log };
}

async function find(pool: HelperPool, username: string, realm: string): Promise<Found> {
  const request = digestRequest(username, realm);
  if (!request.ok) return { kind: 'unknown' };
  const answer = await pool.ask(request.line);
  if (!answer.ok) return { kind: 'unavailable', log: answer.why };
  const { reply } = answer;
  if (reply.result === 'ERR') return { kind: 'unknown' };
  const ha1 = note(reply, 'ha1') ?? '';
  const principal = userOf(note(reply, 'user') ?? username, reply);
  if (reply.result === 'OK' && HA1.test(ha1) && principal !== undefined) {
    return { kind: 'known', account: { principal, ha1: new Secret(ha1.toLowerCase()) } };
  }
  // What came instead of a hash may be one of another kind: not shown.
  const why = reply.result === 'OK' ? 'it said OK without an ha1 of MD5' : reasonOf(reply);
  return { kind: 'unavailable', log: `the helper for digest cannot tell: ${why}` };
}
