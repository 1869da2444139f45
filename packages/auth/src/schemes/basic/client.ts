import type { ClientScheme } from '../../scheme.ts';
import type { Secret } from '../../secret.ts';
import { encodeBasic, unusablePassword, unusableUserId } from './wire.ts';

/** `sent` once the password has gone out: another 407 then is a rejection. */
type BasicState = 'sent';

/**
 * The client half of Basic (RFC 7617): one leg, the same credentials for every request.
 * The credentials are computed once, here, so that a request costs no encoding.
 */
export function basicClient(username: string, password: Secret): ClientScheme<BasicState> {
  const problem = unusableUserId(username) ?? unusablePassword(password);
  const credentials = problem === undefined ? encodeBasic(username, password) : undefined;
  const again = credentials && ({ turn: { kind: 'send', credentials, state: 'sent' }, next: 'sent' } as const);
  return {
    name: 'basic',
    binding: 'message',
    ...(again === undefined ? {} : { resume: () => again }),
    answer: (_challenges, _request, state) => {
      if (credentials === undefined)
        return { kind: 'refuse', reason: 'unsupported', detail: problem ?? 'not sendable' };
      if (state === 'sent') return { kind: 'refuse', reason: 'rejected', detail: 'user name or password not accepted' };
      return { kind: 'send', credentials, state: 'sent' };
    },
  };
}
