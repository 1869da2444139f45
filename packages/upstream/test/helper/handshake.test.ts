import type { VerifierTurn } from '@chain407/auth';
import { formatMessage, VerifierGate, withParams, withToken } from '@chain407/auth';
import { describe, expect, test } from '@jest/globals';
import { helperHandshake } from '../../src/helper/handshake.ts';
import type { HelperPool } from '../../src/helper/helper-pool.ts';
import { runningPool, scripted } from './running-pool.ts';

const request = { method: 'GET', target: 'http://origin.test/', peerHost: '127.0.0.1' };
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const TYPE_1 = base64('NTLMSSP\0\x01\0\0\0');
const TYPE_3 = base64('NTLMSSP\0\x03\0\0\0');

type Name = 'ntlm' | 'negotiate';

/** Both legs with these tokens; the turns. */
async function handshake(name: Name, pool: HelperPool, first: string, second: string): Promise<VerifierTurn[]> {
  const verifier = helperHandshake(name, pool);
  const opening = await verifier.judge(withToken(name, first), request, undefined);
  if (opening.kind !== 'continue') return [opening];
  await new Promise((resolve) => setImmediate(resolve));
  return [opening, await verifier.judge(withToken(name, second), request, opening.state)];
}

/** The program replies this to the token. */
const saying = (reply: string): string => base64(`do say ${reply}`);

describe('a handshake by a helper', () => {
  test('takes two legs, its challenge is the token of the helper, and its program is free afterwards', async () => {
    await using running = runningPool();
    for (const user of ['alice', 'bob']) {
      const [first, second] = await handshake('ntlm', running.pool, base64(user), base64('proof'));
      const challenge = first?.kind === 'continue' ? formatMessage(first.challenge) : undefined;
      expect(challenge).toBe(`NTLM ${base64(`${running.pool.pids[0]}`)}`);
      expect(second).toEqual({ kind: 'accept', principal: { name: user, groups: [] } });
    }
  });

  test('keeps its program for itself: twenty at a time, on four programs', async () => {
    await using running = runningPool({ children: 4 });
    const users = Array.from({ length: 20 }, (_, i) => `user ${i}`);
    const turns = await Promise.all(
      users.map((user) => handshake('ntlm', running.pool, base64(user), base64('proof'))),
    );
    expect(turns.map(([, last]) => last)).toEqual(
      users.map((name) => ({ kind: 'accept', principal: { name, groups: [] } })),
    );
    expect(running.pool.pids).toHaveLength(4);
  });

  test.each([
    ['ntlm', 'AF CORP\\John Smith', { name: 'CORP\\John Smith' }, undefined],
    ['ntlm', 'OK user=alice group=a group=b', { name: 'alice', groups: ['a', 'b'] }, undefined],
    ['ntlm', 'OK token=oRQ= user=alice', { name: 'alice' }, undefined],
    ['negotiate', 'AF oRQ= alice@EXAMPLE', { name: 'alice@EXAMPLE' }, 'Negotiate oRQ='],
    ['negotiate', 'AF * EXAMPLE\\alice', { name: 'EXAMPLE\\alice' }, undefined],
    ['negotiate', 'AF alice', { name: 'alice' }, undefined],
    ['negotiate', 'OK token=oRQ= user=alice@EXAMPLE', { name: 'alice@EXAMPLE' }, 'Negotiate oRQ='],
    ['negotiate', 'OK token=AA== user=alice@EXAMPLE', { name: 'alice@EXAMPLE' }, undefined],
  ] as const)('%s accepts by %j', async (name, reply, principal, last) => {
    await using running = runningPool();
    const [turn] = await handshake(name, running.pool, saying(reply), '');
    if (turn?.kind !== 'accept') throw new Error(JSON.stringify(turn));
    expect(turn.principal).toMatchObject(principal);
    expect(turn.epilogue?.challenges.map(formatMessage)).toEqual(last === undefined ? undefined : [last]);
  });

  test.each([
    ['NA NT_STATUS_LOGON_FAILURE', 'reject', 'the helper for ntlm says no: NT_STATUS_LOGON_FAILURE'],
    ['ERR message="not today"', 'reject', 'the helper for ntlm says no: not today'],
    ['BH received type 1 NTLM token', 'reject', 'the helper for ntlm says no: received type 1 NTLM token'],
    ['BH gss_accept_sec_context() failed: x', 'reject', 'says no: gss_accept_sec_context() failed: x'],
    ['BH no domain controller', 'unavailable', 'the helper for ntlm cannot tell: no domain controller'],
    ['what?', 'unavailable', 'the helper for ntlm cannot tell: a reply that begins with none of'],
    ['TT', 'unavailable', 'the helper for ntlm cannot tell: it said TT without a token in base64'],
    ['TT a"b', 'unavailable', 'the helper for ntlm cannot tell: it said TT without a token in base64'],
    ['AF', 'unavailable', 'the helper for ntlm cannot tell: it said yes without a user name'],
    ['OK user=a%0Ab', 'unavailable', 'the helper for ntlm cannot tell: it said yes without a user name'],
  ])('does not by %j: %s', async (reply, kind, log) => {
    await using running = runningPool();
    const turns = [
      await handshake('ntlm', running.pool, saying(reply), ''),
      // On the second leg, and with the program free after the first.
      await handshake('ntlm', running.pool, base64('alice'), saying(reply)),
    ];
    for (const turn of turns.map((legs) => legs.at(-1))) {
      expect(turn).toMatchObject({ kind, log: expect.stringContaining(log) });
    }
    expect((await running.pool.ask('say OK')).ok).toBe(true);
  });

  test('is unavailable where the program dies or is missing', async () => {
    await using dying = runningPool();
    expect(await handshake('ntlm', dying.pool, base64('do die 3'), '')).toMatchObject([{ kind: 'unavailable' }]);
    await using missing = runningPool({ argv: ['/none/such'] });
    expect(await handshake('negotiate', missing.pool, 'AAAA', '')).toEqual([
      { kind: 'unavailable', log: '/none/such: there is no such program (ENOENT)' },
    ]);
  });

  test('asks nobody about what is no token, nor about a proof without a question', async () => {
    await using running = runningPool();
    const verifier = helperHandshake('ntlm', running.pool);
    for (const credentials of [withParams('ntlm'), withToken('ntlm', 'AAA'), withToken('ntlm', 'AA-_')]) {
      expect(await verifier.judge(credentials, request, undefined)).toMatchObject({ kind: 'malformed' });
    }
    expect(await verifier.judge(withToken('ntlm', TYPE_3), request, undefined)).toMatchObject({ kind: 'reject' });
    expect(running.pool.pids).toEqual([]);
  });

  test('begins anew by a type 1, in the program that it has', async () => {
    await using running = runningPool();
    const turns = await handshake('ntlm', running.pool, base64('alice'), TYPE_1);
    expect(turns.map(({ kind }) => kind)).toEqual(['continue', 'continue']);
  });

  test('frees its program where it is given up, or goes on with what is no token', async () => {
    await using running = runningPool();
    const gate = new VerifierGate([helperHandshake('ntlm', running.pool)]);
    const open = () => gate.judge([`NTLM ${base64('alice')}`], request, undefined);
    const first = await open();
    gate.drop(first.state);
    const second = await open();
    expect(second.verdict).toMatchObject({ kind: 'ask', reason: 'continue' });
    expect(await gate.judge(['NTLM ???'], request, second.state)).toMatchObject({ verdict: { kind: 'malformed' } });
    const third = await open();
    expect(third.verdict).toMatchObject({ kind: 'ask', reason: 'continue' });
    expect(await gate.judge(['NTLM AAA'], request, third.state)).toMatchObject({ verdict: { kind: 'malformed' } });
    expect((await running.pool.ask('say OK')).ok).toBe(true);
  });

  test('that its client left lying is asked for anew', async () => {
    await using running = runningPool({ argv: scripted(), legTimeout: 50 });
    const verifier = helperHandshake('ntlm', running.pool);
    const opening = await verifier.judge(withToken('ntlm', base64('alice')), request, undefined);
    if (opening.kind !== 'continue') throw new Error(JSON.stringify(opening));
    // Served once the program was taken back.
    expect((await running.pool.ask('say OK')).ok).toBe(true);
    expect(await verifier.judge(withToken('ntlm', TYPE_3), request, opening.state)).toEqual({
      kind: 'reject',
      log: 'the ntlm handshake took too long',
    });
  });
});
