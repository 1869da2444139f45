import { describe, expect, test } from '@jest/globals';
import type { ChainAction, ChainState, Known } from '../src/client-chain.ts';
import { advance, clientChain } from '../src/client-chain.ts';
import { formatMessage, parseChallenges } from '../src/grammar.ts';
import { withToken } from '../src/message.ts';
import type { NtlmAccount, NtlmClientState } from '../src/schemes/ntlm/client.ts';
import { ntlmClient } from '../src/schemes/ntlm/client.ts';
import { ntHash } from '../src/schemes/ntlm/crypto.ts';
import { ntlmVerifier } from '../src/schemes/ntlm/verifier.ts';
import { Secret } from '../src/secret.ts';
import { VerifierGate } from '../src/verifier-gate.ts';
import { account, messageOf, only, PASSWORD, ports, REQUEST, verifierOf } from './ntlm-parties.ts';

/** Client against a gate with the verifier, by header lines only: what each says, tokens by their type, and how it ends. */
async function converse(client: ReturnType<typeof ntlmClient>, verifier = verifierOf()): Promise<string[]> {
  const gate = new VerifierGate([verifier]);
  const show = (line: string) =>
    line.replace(/ (\S+)/, (_all, token: string) => ` ${messageOf(withToken('ntlm', token)).type}`);
  const transcript: string[] = [];
  let lines: string[] = [];
  let atClient: NtlmClientState | undefined;
  let atGate: Parameters<VerifierGate['judge']>[2];
  for (;;) {
    const { verdict, state } = await gate.judge(lines, REQUEST, atGate);
    atGate = state;
    if (verdict.kind === 'admitted') return [...transcript, `200 ${verdict.principal.name}`];
    if (verdict.kind !== 'ask') return [...transcript, verdict.log];
    const asked = verdict.challenges.map(formatMessage);
    transcript.push(`407 ${asked.map(show).join(', ')}`);
    const turn = await client.answer(parseChallenges(asked).challenges, REQUEST, atClient);
    if (turn.kind === 'refuse') return [...transcript, `${turn.reason}: ${turn.detail}`];
    atClient = turn.state;
    const line = formatMessage(turn.credentials);
    transcript.push(show(line));
    lines = [line];
  }
}

const LEGS = ['407 NTLM', 'NTLM 1', '407 NTLM 2', 'NTLM 3'];
const REJECTED = [...LEGS, '407 NTLM', 'rejected: user name or password not accepted'];

describe('client and verifier', () => {
  test.each<[string, NtlmAccount, [string, string]]>([
    ['a domain before the name', account(), ['CORP', 'alice']],
    ['a domain of its own', account({ username: 'alice', domain: 'CORP' }), ['CORP', 'alice']],
    ['no domain', account({ username: 'alice' }), ['', 'alice']],
    ['a UPN', account({ username: 'alice@corp.test' }), ['', 'alice@corp.test']],
    ['another case', account({ username: 'corp\\ALICE' }), ['CORP', 'alice']],
    ['names beyond ASCII', account({ username: 'KÖLN\\Jürgen Ω' }), ['KÖLN', 'Jürgen Ω']],
    ['names beyond the BMP', account({ username: 'D\\\u{1f600}' }), ['D', '\u{1f600}']],
    ['an NT hash', account({ secret: { ntHash: ntHash(new Secret(PASSWORD)) } }), ['CORP', 'alice']],
    ['a workstation', account({ workstation: 'LAPTOP-Ü' }), ['CORP', 'alice']],
  ])('agree: %s', async (_name, given, [domain, user]) => {
    const transcript = await converse(ntlmClient(given, ports()), verifierOf(only(domain, user)));
    expect(transcript).toEqual([...LEGS, `200 ${user}`]);
  });

  test('agree on a password beyond ASCII', async () => {
    const password = 'Pässwörd Ω \u{1f600}';
    const client = ntlmClient(account({ secret: { password: new Secret(password) } }), ports());
    expect(await converse(client, verifierOf(only('CORP', 'alice', password)))).toEqual([...LEGS, '200 alice']);
  });

  test.each<[string, NtlmAccount]>([
    ['a wrong password', account({ secret: { password: new Secret('Open sesame') } })],
    ['the hash of another password', account({ secret: { ntHash: ntHash(new Secret('x')) } })],
    ['an unknown user', account({ username: 'CORP\\mallory' })],
    ['another domain', account({ username: 'OTHER\\alice' })],
  ])('do not agree, and the client does not try again: %s', async (_name, given) => {
    expect(await converse(ntlmClient(given, ports()))).toEqual(REJECTED);
  });

  test('wait for accounts that are elsewhere', async () => {
    const find = only('CORP', 'alice');
    const verifier = ntlmVerifier(
      { target: { domain: 'CORP', computer: 'PROXY' } },
      { ...ports(), findAccount: (...asked) => Promise.resolve(find(...asked)) },
    );
    expect(await converse(ntlmClient(account(), ports()), verifier)).toEqual([...LEGS, '200 alice']);
  });
});

describe('in the chain', () => {
  /** What the chain sends on which connection, answered by the verifier, and how it ends. */
  async function drive(known?: Known): Promise<[legs: string[], last: ChainAction]> {
    const gate = new VerifierGate([verifierOf()]);
    const scheme = ntlmClient(account(), ports());
    const legs: string[] = [];
    let atGate: Parameters<VerifierGate['judge']>[2];
    let [state, action]: readonly [ChainState, ChainAction] = advance(
      clientChain([scheme]),
      known === undefined ? { kind: 'start' } : { kind: 'start', known },
    );
    for (;;) {
      if (action.kind === 'ask') {
        const turn = await action.scheme.answer(action.challenges, REQUEST, action.state);
        [state, action] = advance(state, { kind: 'turn', turn });
      } else if (action.kind === 'resume') {
        const turn = await action.scheme.resume?.(REQUEST, action.state).turn;
        if (turn === undefined) throw new Error('NTLM resumes');
        [state, action] = advance(state, { kind: 'turn', turn });
      } else if (action.kind === 'send') {
        const { credentials, connection, complete } = action;
        legs.push(
          `${credentials === undefined ? 'none' : messageOf(credentials).type} ${connection}${complete ? '' : ' begins'}`,
        );
        const lines = credentials === undefined ? [] : [formatMessage(credentials)];
        const step = await gate.judge(lines, REQUEST, connection === 'same' ? atGate : undefined);
        atGate = step.state;
        const challenges = step.verdict.kind === 'ask' ? step.verdict.challenges : [];
        const status = step.verdict.kind === 'ask' ? 407 : 200;
        [state, action] = advance(state, {
          kind: 'response',
          status,
          challenges,
          persistent: true,
          notPermitted: false,
        });
      } else return [legs, action];
    }
  }

  test('NTLM takes three legs where it must be asked for, and two where it is known', async () => {
    const [asked, first] = await drive();
    expect(asked).toEqual(['none any', '1 fresh begins', '3 same']);
    const { authenticated } = first.kind === 'relay' ? first : { authenticated: undefined };
    expect(authenticated).toMatchObject({ scheme: { name: 'ntlm' }, state: 'answered' });
    const [unasked, second] = await drive(authenticated);
    expect(unasked).toEqual(['1 fresh begins', '3 same']);
    expect(second).toMatchObject({ kind: 'relay', authenticated: { state: 'answered' } });
  });
});
