import type { ClientScheme } from '../../scheme.ts';
import { refuse } from '../../scheme.ts';
import type { Secret } from '../../secret.ts';
import { encodeBasic, unusablePassword, unusableUserId } from './wire.ts';

/** `sent` once the password has gone out: another 407 then is a rejection. */
type BasicState = 'sent';

/**
 * The client half of Basic (RFC 7617): one leg, the same credentials for every request.
 * The credentials are computed once, here, so that a request costs no encoding.
 */
export function basicClient(username: string, password: Secret): ClientScheme<BasicState> {
  const scheme = { name: 'basic', binding: 'message' } as const;
  const problem = unusableUserId(username) ?? unusablePassword(password);
  if (problem !== undefined) return { ...scheme, answer: () => refuse('unsupported', problem) };
  const turn = { kind: 'send', credentials: encodeBasic(username, password), state: 'sent' } as const;
  const again = { turn, next: 'sent' } as const;
  return {
    ...scheme,
    resume: () => again,
    answer: (_challenges, _request, state) =>
      state === 'sent' ? refuse('rejected', 'user name or password not accepted') : turn,
  };
}
