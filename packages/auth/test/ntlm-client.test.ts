import { describe, expect, test } from '@jest/globals';
import { AuthError } from '../src/errors.ts';
import type { Challenge } from '../src/message.ts';
import { withParams, withToken } from '../src/message.ts';
import type { ClientTurn } from '../src/scheme.ts';
import { AV_ID, avText, encodeAvPairs } from '../src/schemes/ntlm/av-pairs.ts';
import type { NtlmAccount, NtlmClientState } from '../src/schemes/ntlm/client.ts';
import { ntlmClient } from '../src/schemes/ntlm/client.ts';
import { decodeNtlmv2Response } from '../src/schemes/ntlm/client-challenge.ts';
import { describeNtlm } from '../src/schemes/ntlm/describe.ts';
import { flagsOf } from '../src/schemes/ntlm/flags.ts';
import type { ChallengeMessage } from '../src/schemes/ntlm/wire.ts';
import { encodeMessage } from '../src/schemes/ntlm/wire.ts';
import { Secret } from '../src/secret.ts';
import { account, BARE, ports, REQUEST, sentBy, tokenOf, typeThree } from './ntlm-parties.ts';

describe('the client', () => {
  const client = ntlmClient(account({ workstation: 'LAPTOP' }), ports());
  const opening = client.answer([BARE], REQUEST, undefined) as ClientTurn<NtlmClientState>;
  const CHALLENGE: ChallengeMessage = {
    type: 2,
    flags: flagsOf('NEGOTIATE_UNICODE', 'NEGOTIATE_TARGET_INFO', 'NEGOTIATE_KEY_EXCH', 'NEGOTIATE_SEAL'),
    targetName: 'CORP',
    serverChallenge: Buffer.from('0123456789abcdef', 'hex'),
    targetInfo: encodeAvPairs([avText(AV_ID.NbDomainName, 'CORP')]),
  };
  const answer = (token: Challenge, state: NtlmClientState | undefined) =>
    client.answer([token], REQUEST, state) as ClientTurn<NtlmClientState>;

  test('opens with a type 1 that says nothing of the user, and that proves nothing', () => {
    const { credentials, complete, state } = sentBy(opening);
    expect({ complete, state }).toEqual({ complete: false, state: 'negotiated' });
    expect(describeNtlm(credentials.token68 ?? '')).toEqual({
      message: 'NEGOTIATE (type 1)',
      flags: 'NEGOTIATE_UNICODE REQUEST_TARGET NEGOTIATE_NTLM NEGOTIATE_ALWAYS_SIGN NEGOTIATE_EXTENDED_SESSIONSECURITY',
      domain: '',
      workstation: '',
    });
  });

  test('begins unasked as if it had been asked, and remembers nothing by it', () => {
    expect(client.resume?.(REQUEST, 'answered')).toEqual({ turn: opening, next: 'answered' });
  });

  test('speaks the same under the name Negotiate, as Windows proxies take it', () => {
    const negotiate = ntlmClient(account(), ports(), 'negotiate');
    expect(negotiate).toMatchObject({ name: 'negotiate', binding: 'connection' });
    const first = sentBy(
      negotiate.answer([withParams('negotiate')], REQUEST, undefined) as ClientTurn<NtlmClientState>,
    );
    expect(first.credentials).toEqual({ ...sentBy(opening).credentials, scheme: 'negotiate' });
    const { token68 = '' } = tokenOf(CHALLENGE);
    const second = negotiate.answer([withToken('negotiate', token68)], REQUEST, first.state);
    expect(second).toMatchObject({ kind: 'send', credentials: { scheme: 'negotiate' }, state: 'answered' });
  });

  test('takes the time of its own clock and sends an LMv2 response where the server tells no time', () => {
    const message = typeThree(answer(tokenOf(CHALLENGE), 'negotiated'));
    expect(message.lmResponse.subarray(16)).toHaveLength(8);
    expect(message.lmResponse.every((byte) => byte === 0)).toBe(false);
    expect(describeNtlm(tokenOf(message).token68 ?? '')).toEqual({
      message: 'AUTHENTICATE (type 3)',
      // Neither KEY_EXCH nor SEAL, though the server offers both.
      flags: 'NEGOTIATE_UNICODE NEGOTIATE_TARGET_INFO',
      user: 'alice',
      domain: 'CORP',
      workstation: 'LAPTOP',
      'LM response': '[secret]',
      'NT response': '[secret]',
      response: 'NTLMv2',
      MIC: 'absent',
      'client time': '2026-01-02T03:04:05.000Z',
      'NetBIOS domain': 'CORP',
      'channel bindings': 'none',
      service: 'HTTP/proxy.test',
    });
  });

  test("takes the server's time, proves all three messages and sends zeros for LM where there is one", () => {
    const timestamp = { id: AV_ID.Timestamp, value: Buffer.from('00803ed5deb19d01', 'hex') };
    const flags = { id: AV_ID.Flags, value: Buffer.from('01000000', 'hex') };
    const targetInfo = encodeAvPairs([flags, timestamp, avText(AV_ID.TargetName, 'HTTP/other')]);
    const message = typeThree(answer(tokenOf({ ...CHALLENGE, targetInfo }), 'negotiated'));
    expect(message.lmResponse).toEqual(Buffer.alloc(24));
    const response = decodeNtlmv2Response(message.ntResponse);
    const ids = response.ok ? response.response.challenge.pairs.map(({ id }) => id) : [];
    expect(ids).toEqual([AV_ID.Timestamp, AV_ID.Flags, AV_ID.ChannelBindings, AV_ID.TargetName]);
    expect(describeNtlm(tokenOf(message).token68 ?? '')).toMatchObject({
      MIC: 'present',
      'AV flags': '0x00000003',
      'client time': '1970-01-01T00:00:00.000Z',
      'server time': '1970-01-01T00:00:00.000Z',
      service: 'HTTP/proxy.test',
    });
  });

  test('never sends the same response twice', () => {
    const responses = [1, 2].map(() => typeThree(answer(tokenOf(CHALLENGE), 'negotiated')).ntResponse);
    expect(responses[0]).not.toEqual(responses[1]);
  });

  const OPENED = 'the proxy opened NTLM with a token: type 1 is for the client to send';
  const LOST = 'the proxy answered NTLM type 1 without a type 2: it lost the handshake';
  test.each<[string, Challenge, NtlmClientState | undefined, string, string]>([
    ['a token before its own', tokenOf(CHALLENGE), undefined, 'unexpected-token', OPENED],
    ['no token for its type 1', BARE, 'negotiated', 'unexpected-token', LOST],
    ['no token for its type 3', BARE, 'answered', 'rejected', 'user name or password not accepted'],
    [
      'a token for its type 3',
      tokenOf(CHALLENGE),
      'answered',
      'unexpected-token',
      'the proxy answered NTLM type 3, which is the last, with another token',
    ],
    [
      'its own type 1, mirrored',
      sentBy(opening).credentials,
      'negotiated',
      'unexpected-token',
      'the proxy answered NTLM type 1 with type 1, expected type 2',
    ],
    [
      'a token that is no base64',
      withToken('ntlm', '____'),
      'negotiated',
      'unexpected-token',
      "the proxy's answer to NTLM type 1: no base64",
    ],
    [
      'a token cut short',
      withToken('ntlm', encodeMessage(CHALLENGE).subarray(0, 60).toString('base64')),
      'negotiated',
      'unexpected-token',
      "the proxy's answer to NTLM type 1: type 2: the target name ends at 64, past the end of the message at 60",
    ],
    [
      'target info without an end',
      tokenOf({ ...CHALLENGE, targetInfo: Buffer.from('0100', 'hex') }),
      'negotiated',
      'unexpected-token',
      'NTLM type 2 of the proxy: the target info has no end mark (MsvAvEOL)',
    ],
    [
      'target info that leaves no room for ours',
      tokenOf({ ...CHALLENGE, targetInfo: Buffer.alloc(32_769) }),
      'negotiated',
      'unsupported',
      'NTLM type 2 of the proxy: target info of 32769 bytes, more than 32768',
    ],
    [
      'no Unicode',
      tokenOf({ ...CHALLENGE, flags: flagsOf('NEGOTIATE_OEM', 'NEGOTIATE_TARGET_INFO') }),
      'negotiated',
      'unsupported',
      'NTLM type 2 of the proxy: no Unicode, which NTLMv2 is spoken in here',
    ],
    [
      'no target info, so NTLMv1',
      tokenOf({ ...CHALLENGE, flags: flagsOf('NEGOTIATE_UNICODE', 'NEGOTIATE_NTLM') }),
      'negotiated',
      'unsupported',
      'NTLM type 2 of the proxy: no target info, so NTLMv1 only, which is not spoken',
    ],
  ])('refuses %s, and could go on as before', (_name, token, state, reason, detail) => {
    expect(answer(token, state)).toEqual({ kind: 'refuse', reason, detail });
    expect(typeThree(answer(tokenOf(CHALLENGE), 'negotiated')).user).toBe('alice');
  });

  test.each<[string, Partial<NtlmAccount>]>([
    ['an NT hash that is none', { secret: { ntHash: new Secret('a4f49c') } }],
    ['a name that no directory has', { username: 'a'.repeat(1025) }],
  ])('is not made with %s', (_name, more) => {
    expect(() => ntlmClient(account(more), ports())).toThrow(AuthError);
  });
});
