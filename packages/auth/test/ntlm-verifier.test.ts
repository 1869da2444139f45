import { describe, expect, test } from '@jest/globals';
import { AuthError } from '../src/errors.ts';
import type { Credentials } from '../src/message.ts';
import { withParams, withToken } from '../src/message.ts';
import type { ClientTurn, VerifierTurn } from '../src/scheme.ts';
import { encodeAvPairs } from '../src/schemes/ntlm/av-pairs.ts';
import type { NtlmClientState } from '../src/schemes/ntlm/client.ts';
import { ntlmClient } from '../src/schemes/ntlm/client.ts';
import { describeNtlm } from '../src/schemes/ntlm/describe.ts';
import { flagsOf } from '../src/schemes/ntlm/flags.ts';
import type { NtlmVerifierState } from '../src/schemes/ntlm/verifier.ts';
import type { AuthenticateMessage } from '../src/schemes/ntlm/wire.ts';
import { MIC_AT } from '../src/schemes/ntlm/wire.ts';
import { Secret } from '../src/secret.ts';
import {
  account,
  BARE,
  continued,
  messageOf,
  only,
  ports,
  REQUEST,
  sentBy,
  tokenOf,
  typeThree,
  verifierOf,
} from './ntlm-parties.ts';

describe('the verifier', () => {
  const client = ntlmClient(account(), ports());
  const first = sentBy(client.answer([BARE], REQUEST, undefined) as ClientTurn<NtlmClientState>).credentials;

  /** A handshake up to the type 3 that is due, not yet judged. */
  function upToTypeThree(verifier = verifierOf(), given = client) {
    const { challenge, state } = continued(
      verifier.judge(first, REQUEST, undefined) as VerifierTurn<NtlmVerifierState>,
    );
    const turn = given.answer([challenge], REQUEST, 'negotiated') as ClientTurn<NtlmClientState>;
    return { verifier, state, challenge, credentials: sentBy(turn).credentials, message: typeThree(turn) };
  }

  test('offers NTLM without a token', () => {
    expect(verifierOf().offer()).toEqual([BARE]);
  });

  test('answers a type 1 with who it is, what time it is, and what it grants', () => {
    expect(describeNtlm(upToTypeThree().challenge.token68 ?? '')).toEqual({
      message: 'CHALLENGE (type 2)',
      flags:
        'NEGOTIATE_UNICODE REQUEST_TARGET NEGOTIATE_NTLM NEGOTIATE_ALWAYS_SIGN TARGET_TYPE_DOMAIN ' +
        'NEGOTIATE_EXTENDED_SESSIONSECURITY NEGOTIATE_TARGET_INFO',
      'target name': 'CORP',
      'NetBIOS domain': 'CORP',
      'NetBIOS computer': 'PROXY',
      'DNS domain': 'corp.test',
      'DNS computer': 'proxy.corp.test',
      'server time': '2026-01-02T03:04:05.000Z',
    });
  });

  test('never gives the same challenge twice', () => {
    const verifier = verifierOf();
    const given = [1, 2].map(() => upToTypeThree(verifier).state.serverChallenge);
    expect(given[0]).not.toEqual(given[1]);
  });

  test('lets a client begin anew, and the challenge before is void', () => {
    const { verifier, credentials, state } = upToTypeThree();
    const { state: anew } = continued(verifier.judge(first, REQUEST, state) as VerifierTurn<NtlmVerifierState>);
    expect(verifier.judge(credentials, REQUEST, anew)).toMatchObject({ kind: 'reject', user: 'alice' });
  });

  // The attack: a response that was overheard is sent on another connection.
  test('takes no response that belongs to another connection', () => {
    const verifier = verifierOf();
    const overheard = upToTypeThree(verifier);
    expect(verifier.judge(overheard.credentials, REQUEST, overheard.state)).toMatchObject({ kind: 'accept' });
    expect(verifier.judge(overheard.credentials, REQUEST, upToTypeThree(verifier).state)).toEqual({
      kind: 'reject',
      user: 'alice',
      log: 'domain "CORP": unknown user or wrong password',
    });
  });

  // The attack: someone between the two changes what they negotiate.
  test.each<[string, (bytes: Buffer) => void]>([
    ['flags of the type 3', (bytes) => bytes.writeUInt32LE(1, 60)],
    ['the MIC itself', (bytes) => bytes.fill(0, MIC_AT, MIC_AT + 16)],
    ['the version', (bytes) => bytes.fill(1, 64, 72)],
  ])('finds by the MIC that a message was changed on its way: %s', (_name, change) => {
    const { verifier, state, credentials } = upToTypeThree();
    const bytes = Buffer.from(credentials.token68 ?? '', 'base64');
    change(bytes);
    expect(verifier.judge(withToken('ntlm', bytes.toString('base64')), REQUEST, state)).toEqual({
      kind: 'reject',
      user: 'alice',
      log: 'domain "CORP": the MIC does not fit: a message was changed on its way',
    });
  });

  test('finds by the MIC that the type 1 was changed on its way', () => {
    const { verifier, state, credentials } = upToTypeThree();
    const negotiate = Buffer.from(state.negotiate);
    negotiate.writeUInt32LE(1, 12);
    expect(verifier.judge(credentials, REQUEST, { ...state, negotiate })).toMatchObject({ kind: 'reject' });
  });

  test('asks for no MIC where the client announces none', () => {
    const { verifier, state } = upToTypeThree();
    const { serverChallenge } = state;
    const untimed = tokenOf({
      type: 2,
      flags: flagsOf('NEGOTIATE_UNICODE', 'NEGOTIATE_TARGET_INFO'),
      targetName: '',
      serverChallenge,
      targetInfo: encodeAvPairs([]),
    });
    const { credentials } = sentBy(client.answer([untimed], REQUEST, 'negotiated') as ClientTurn<NtlmClientState>);
    expect(verifier.judge(credentials, REQUEST, state)).toEqual({ kind: 'accept', principal: { name: 'alice' } });
  });

  test.each<[string, (message: AuthenticateMessage) => AuthenticateMessage, string]>([
    ['NTLMv1', (message) => ({ ...message, ntResponse: Buffer.alloc(24, 1) }), 'NTLMv1 response: only NTLMv2 is taken'],
    ['LM alone', (message) => ({ ...message, ntResponse: Buffer.alloc(0) }), 'LM response: only NTLMv2 is taken'],
    [
      'a name and nothing else',
      (message) => ({ ...message, ntResponse: Buffer.alloc(0), lmResponse: Buffer.alloc(0) }),
      'no response at all: only NTLMv2 is taken',
    ],
    [
      'anonymous, by its emptiness',
      (message) => ({ ...message, user: '', ntResponse: Buffer.alloc(0), lmResponse: Buffer.alloc(1) }),
      'anonymous NTLM: not taken',
    ],
    [
      'anonymous, by its flag',
      (message) => ({ ...message, flags: message.flags | flagsOf('ANONYMOUS') }),
      'anonymous NTLM: not taken',
    ],
    [
      'names in no Unicode',
      (message) => ({ ...message, flags: flagsOf('NEGOTIATE_OEM') }),
      'names that are not in Unicode, and so of an unknown code page',
    ],
  ])('rejects %s, and asks for no account', (_name, change, log) => {
    const asked: string[] = [];
    const verifier = verifierOf((domain, user) => {
      asked.push(`${domain}\\${user}`);
      return only('CORP', 'alice')(domain, user);
    });
    const { state, message } = upToTypeThree(verifier);
    const changed = change(message);
    expect(verifier.judge(tokenOf(changed), REQUEST, state)).toEqual({
      kind: 'reject',
      user: changed.user,
      log,
      why: log,
    });
    expect(asked).toEqual([]);
  });

  test('rejects a type 1 without Unicode, and says so', () => {
    const oem = tokenOf({ type: 1, flags: flagsOf('NEGOTIATE_OEM'), domain: '', workstation: '' });
    expect(verifierOf().judge(oem, REQUEST, undefined)).toEqual({
      kind: 'reject',
      log: 'NTLM type 1 without Unicode, which is needed here',
    });
  });

  test.each<[string, Credentials, 'with' | 'without', string]>([
    ['no token', withParams('ntlm'), 'without', 'without a token'],
    ['parameters', withParams('ntlm', [['user', 'x']]), 'without', 'without a token'],
    ['no base64', withToken('ntlm', '~~~~'), 'without', 'no base64'],
    ['another protocol', withToken('ntlm', 'YIIBIwYGKwYBBQUCoA=='), 'with', 'no signature NTLMSSP at its start'],
    ['a type 2', upToTypeThree().challenge, 'with', 'a type 2, which is for the verifier to send'],
    ['a type 3 out of turn', upToTypeThree().credentials, 'without', 'a type 3 before a type 1 on this connection'],
    [
      'control characters in the name',
      tokenOf({ ...upToTypeThree().message, user: 'al\x1b[2Jice' }),
      'with',
      'control characters in a name',
    ],
    [
      'control characters in the domain',
      tokenOf({ ...upToTypeThree().message, domain: 'CORP\n' }),
      'with',
      'control characters in a name',
    ],
    [
      'a response too short',
      tokenOf({ ...upToTypeThree().message, ntResponse: Buffer.alloc(43) }),
      'with',
      'an NT response of 43 bytes',
    ],
    [
      'a response of another version',
      tokenOf({ ...upToTypeThree().message, ntResponse: Buffer.alloc(60, 2) }),
      'with',
      'an NT response of a version that is not 1',
    ],
    [
      'a response cut off in its AV pairs',
      tokenOf({ ...upToTypeThree().message, ntResponse: upToTypeThree().message.ntResponse.subarray(0, 50) }),
      'with',
      'in the NT response the target info ends inside of the pair at 0',
    ],
    [
      'a MIC that is announced and not there',
      tokenOf(withoutMic(upToTypeThree().message)),
      'with',
      'the MIC that the response announces is missing',
    ],
  ])('finds malformed, and could go on as before: %s', (_name, credentials, when, why) => {
    const due = upToTypeThree();
    const state = when === 'with' ? due.state : undefined;
    const log = `NTLM credentials: ${why}`;
    expect(due.verifier.judge(credentials, REQUEST, state)).toEqual({ kind: 'malformed', log });
    expect(due.verifier.judge(due.credentials, REQUEST, due.state)).toMatchObject({ kind: 'accept' });
  });

  test('lets no one in whose account has no NT hash, and does not show what it has', () => {
    const verifier = verifierOf(() => ({ principal: { name: 'alice' }, ntHash: new Secret('$2b$12$bcrypt') }));
    const { state, credentials } = upToTypeThree(verifier);
    expect(() => verifier.judge(credentials, REQUEST, state)).toThrow(AuthError);
    expect(() => verifier.judge(credentials, REQUEST, state)).not.toThrow('bcrypt');
  });

  test('says of a user that it does not know what it says of a wrong password', () => {
    const turnFor = (find: typeof verifierOf extends (find?: infer F) => unknown ? F : never) => {
      const { verifier, state, credentials } = upToTypeThree(verifierOf(find));
      return verifier.judge(credentials, REQUEST, state);
    };
    expect(turnFor(() => undefined)).toEqual(turnFor(only('CORP', 'alice', 'other')));
  });
});

function withoutMic({ mic: _mic, ...message }: AuthenticateMessage): AuthenticateMessage {
  return message;
}

describe('names in an OEM code page, where they are taken', () => {
  const verifier = verifierOf(only('CORP', 'alice'), { oemNames: true });
  const oem = tokenOf({ type: 1, flags: flagsOf('NEGOTIATE_OEM'), domain: '', workstation: '' });
  const { challenge, state } = continued(verifier.judge(oem, REQUEST, undefined) as VerifierTurn<NtlmVerifierState>);
  const client = ntlmClient(account(), ports());
  const { serverChallenge } = state;
  const untimed = tokenOf({
    type: 2,
    flags: flagsOf('NEGOTIATE_UNICODE', 'NEGOTIATE_TARGET_INFO'),
    targetName: '',
    serverChallenge,
    targetInfo: encodeAvPairs([]),
  });
  // As curl does it: the response over Unicode, the names in ASCII.
  const message: AuthenticateMessage = {
    ...typeThree(client.answer([untimed], REQUEST, 'negotiated') as ClientTurn<NtlmClientState>),
    flags: flagsOf('NEGOTIATE_OEM', 'NEGOTIATE_TARGET_INFO'),
  };

  test('are negotiated', () => {
    const sent = messageOf(challenge);
    expect(sent.flags & flagsOf('NEGOTIATE_OEM', 'NEGOTIATE_UNICODE')).toBe(flagsOf('NEGOTIATE_OEM'));
    expect(sent).toMatchObject({ targetName: 'CORP' });
  });

  test('are good as long as they are ASCII', () => {
    expect(verifier.judge(tokenOf(message), REQUEST, state)).toEqual({ kind: 'accept', principal: { name: 'alice' } });
    expect(verifier.judge(tokenOf({ ...message, user: 'älice' }), REQUEST, state)).toEqual({
      kind: 'reject',
      user: 'älice',
      log: 'names that are not in Unicode, and so of an unknown code page',
      why: 'names that are not in Unicode, and so of an unknown code page',
    });
  });

  test('are no excuse for neither', () => {
    const neither = tokenOf({ type: 1, flags: 0, domain: '', workstation: '' });
    expect(verifier.judge(neither, REQUEST, undefined)).toMatchObject({ kind: 'reject' });
  });
});
