import type { Challenge, Credentials } from '../src/message.ts';
import { withParams, withToken } from '../src/message.ts';
import type { ClientRequestFacts, ClientTurn, VerifierTurn } from '../src/scheme.ts';
import type { NtlmAccount, NtlmClientState } from '../src/schemes/ntlm/client.ts';
import { ntHash } from '../src/schemes/ntlm/crypto.ts';
import type { NtlmUser, NtlmVerifierOptions, NtlmVerifierState } from '../src/schemes/ntlm/verifier.ts';
import { ntlmVerifier } from '../src/schemes/ntlm/verifier.ts';
import type { AuthenticateMessage, NtlmMessage } from '../src/schemes/ntlm/wire.ts';
import { decodeToken, encodeMessage } from '../src/schemes/ntlm/wire.ts';
import { Secret } from '../src/secret.ts';

export const REQUEST: ClientRequestFacts = { method: 'GET', target: 'http://origin.test/', peerHost: 'proxy.test' };
/** 2026-01-02T03:04:05Z. */
export const NOW = 1_767_323_045_000;
export const PASSWORD = 'open sesame';

/** Bytes that count up, another run at each call. */
export function counting(): (bytes: number) => Uint8Array {
  let next = 0;
  return (bytes) => Uint8Array.from({ length: bytes }, () => next++ % 256);
}
export const ports = () => ({ entropy: counting(), clock: () => NOW });

export const account = (more: Partial<NtlmAccount> = {}): NtlmAccount => ({
  username: 'CORP\\alice',
  secret: { password: new Secret(PASSWORD) },
  ...more,
});

/** Knows one user, by the names that go on the wire, whatever their case. */
export const only =
  (domain: string, user: string, password = PASSWORD) =>
  (...asked: [string, string]): NtlmUser | undefined =>
    asked.join('\\').toLowerCase() === `${domain}\\${user}`.toLowerCase()
      ? { principal: { name: user }, ntHash: ntHash(new Secret(password)) }
      : undefined;

export const verifierOf = (findAccount = only('CORP', 'alice'), options: Partial<NtlmVerifierOptions> = {}) =>
  ntlmVerifier(
    {
      target: { domain: 'CORP', computer: 'PROXY', dnsDomain: 'corp.test', dnsComputer: 'proxy.corp.test' },
      ...options,
    },
    { ...ports(), findAccount },
  );

export const BARE: Challenge = withParams('ntlm');

export const tokenOf = (message: NtlmMessage): Credentials =>
  withToken('ntlm', encodeMessage(message).toString('base64'));

/** The message of what was sent, or the test ends here. */
export function messageOf(sent: Credentials | Challenge): NtlmMessage {
  const decoded = decodeToken(sent.token68 ?? '');
  if (!decoded.ok) throw new Error(decoded.why);
  return decoded.message;
}

export function sentBy(turn: ClientTurn<NtlmClientState>): Extract<ClientTurn<NtlmClientState>, { kind: 'send' }> {
  if (turn.kind !== 'send') throw new Error(turn.detail);
  return turn;
}

export function typeThree(turn: ClientTurn<NtlmClientState>): AuthenticateMessage {
  const message = messageOf(sentBy(turn).credentials);
  if (message.type !== 3) throw new Error(`type ${message.type}`);
  return message;
}

export function continued(
  turn: VerifierTurn<NtlmVerifierState>,
): Extract<VerifierTurn<NtlmVerifierState>, { kind: 'continue' }> {
  if (turn.kind !== 'continue') throw new Error(turn.kind);
  return turn;
}
