import { describe, expect, test } from '@jest/globals';
import type { ClientTurn, VerifierTurn } from '../src/scheme.ts';
import { AV_ID, avText, encodeAvPairs } from '../src/schemes/ntlm/av-pairs.ts';
import type { NtlmClientState } from '../src/schemes/ntlm/client.ts';
import { ntlmClient } from '../src/schemes/ntlm/client.ts';
import { describeNtlm } from '../src/schemes/ntlm/describe.ts';
import { flagsOf } from '../src/schemes/ntlm/flags.ts';
import type { NtlmVerifierState } from '../src/schemes/ntlm/verifier.ts';
import type { AuthenticateMessage, NtlmMessage } from '../src/schemes/ntlm/wire.ts';
import { account, BARE, continued, messageOf, ports, REQUEST, sentBy, tokenOf, verifierOf } from './ntlm-parties.ts';

describe('tokens that are shown', () => {
  const TYPE_THREE: AuthenticateMessage = {
    type: 3,
    flags: flagsOf('NEGOTIATE_UNICODE'),
    domain: 'D\x1b[2J',
    user: 'u\n',
    workstation: '',
    lmResponse: Buffer.alloc(24, 1),
    ntResponse: Buffer.alloc(24, 2),
    sessionKey: Buffer.alloc(16, 3),
  };

  test.each<[string, NtlmMessage, Record<string, string>]>([
    [
      'NTLMv1, a session key, and names that would steer a terminal',
      TYPE_THREE,
      {
        message: 'AUTHENTICATE (type 3)',
        flags: 'NEGOTIATE_UNICODE',
        user: 'u\\x0a',
        domain: 'D\\x1b[2J',
        workstation: '',
        'LM response': '[secret]',
        'NT response': '[secret]',
        'session key': '[secret]',
        response: 'NTLMv1',
      },
    ],
    ['LM alone', { ...TYPE_THREE, ntResponse: Buffer.alloc(0) }, { response: 'LM' }],
    [
      'no response',
      { ...TYPE_THREE, ntResponse: Buffer.alloc(0), lmResponse: Buffer.alloc(0) },
      { response: 'anonymous' },
    ],
    [
      'a response that cannot be read',
      { ...TYPE_THREE, ntResponse: Buffer.alloc(30) },
      { malformed: 'an NT response of 30 bytes' },
    ],
    [
      'no target info',
      { type: 2, flags: 1, targetName: 'T', serverChallenge: Buffer.alloc(8, 4) },
      { 'target name': 'T', 'target info': 'none' },
    ],
    [
      'every kind of AV pair, those without a name by their number',
      {
        type: 2,
        flags: flagsOf('NEGOTIATE_UNICODE', 'NEGOTIATE_TARGET_INFO'),
        targetName: 'T',
        serverChallenge: Buffer.alloc(8, 4),
        targetInfo: encodeAvPairs([
          avText(AV_ID.DnsTreeName, 'tree.test'),
          { id: AV_ID.SingleHost, value: Buffer.alloc(48) },
          { id: AV_ID.ChannelBindings, value: Buffer.alloc(16, 0xab) },
          { id: 99, value: Buffer.from('beef', 'hex') },
        ]),
      },
      {
        'DNS tree': 'tree.test',
        'single host': '48 bytes',
        'channel bindings': 'ab'.repeat(16),
        'AV pair 99': 'beef',
      },
    ],
  ])('have names for what is in them: %s', (_name, message, shown) => {
    expect(describeNtlm(tokenOf(message).token68 ?? '')).toMatchObject(shown);
  });

  test('say why they cannot be read', () => {
    expect(describeNtlm('TlRMTVNTUAAB')).toEqual({ malformed: '9 bytes, too short for a message of NTLM' });
  });

  // The attack: a trace in a bug report, with all that a dictionary needs.
  test('hold neither a response nor what it was computed with', () => {
    const verifier = verifierOf();
    const client = ntlmClient(account(), ports());
    const first = sentBy(client.answer([BARE], REQUEST, undefined) as ClientTurn<NtlmClientState>);
    const { challenge, state } = continued(
      verifier.judge(first.credentials, REQUEST, undefined) as VerifierTurn<NtlmVerifierState>,
    );
    const third = sentBy(client.answer([challenge], REQUEST, first.state) as ClientTurn<NtlmClientState>);
    const message = messageOf(third.credentials);
    if (message.type !== 3) throw new Error('no type 3');
    const shown = JSON.stringify([challenge, third.credentials].map(({ token68 = '' }) => describeNtlm(token68)));
    const secrets = [message.ntResponse.subarray(0, 16), message.mic ?? [], state.serverChallenge, message.ntResponse];
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThan(0);
      expect(shown).not.toContain(Buffer.from(secret).toString('hex'));
      expect(shown).not.toContain(Buffer.from(secret).toString('base64'));
    }
  });
});
