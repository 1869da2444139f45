import type { Secret, VerifierScheme, VerifierTurn } from '@chain407/auth';
import { basicVerifierBy } from '@chain407/auth';
import { GoodAnswers } from '../users/good-answers.ts';
import type { HelperPool } from './helper-pool.ts';
import { note, reasonOf } from './replies.ts';
import { basicRequest } from './requests.ts';
import { userOf } from './user-of.ts';

type Turn = VerifierTurn<never>;

/**
 * The verifier half of Basic where a helper program knows the passwords. A good answer is remembered for a minute.
 * Throws {@link AuthError} for a realm that no header line can hold. `now` in milliseconds.
 */
export function helperBasicVerifier(
  realm: string,
  pool: HelperPool,
  now: () => number = Date.now,
): VerifierScheme<never> {
  const answers = new GoodAnswers<Turn>((turn) => turn.kind === 'accept', now);
  return basicVerifierBy(realm, (username, password) =>
    answers.answer([username, password.reveal()], () => judge(pool, username, password)),
  );
}

async function judge(pool: HelperPool, username: string, password: Secret): Promise<Turn> {
  const request = basicRequest(username, password.reveal());
  if (!request.ok) return { kind: 'reject', user: username, log: request.why };
  const answer = await pool.ask(request.line);
  if (!answer.ok) return { kind: 'unavailable', log: answer.why };
  const { reply } = answer;
  switch (reply.result) {
    case 'OK': {
      const principal = userOf(note(reply, 'user') ?? username, reply);
      if (principal !== undefined) return { kind: 'accept', principal };
      return { kind: 'unavailable', log: 'the helper for basic gave a user name with control characters' };
    }
    case 'ERR':
      return { kind: 'reject', user: username, log: `the helper for basic says no: ${reasonOf(reply)}` };
    default:
      return { kind: 'unavailable', log: `the helper for basic cannot tell: ${reasonOf(reply)}` };
  }
}
