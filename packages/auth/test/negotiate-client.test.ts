import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ChainEvent, ChainState } from '../src/client-chain.ts';
import { advance, clientChain } from '../src/client-chain.ts';
import { AuthError } from '../src/errors.ts';
import type { Challenge } from '../src/message.ts';
import { withParams, withToken } from '../src/message.ts';
import type { ClientRequestFacts, ClientTurn } from '../src/scheme.ts';
import type { NegotiateClientState, NegotiateOptions, SecurityStep } from '../src/schemes/negotiate/client.ts';
import { negotiateClient } from '../src/schemes/negotiate/client.ts';
import {
  apRep,
  apReq,
  base64,
  field,
  framed,
  framedKerberos,
  krbError,
  negTokenInit,
  negTokenResp,
  OID,
} from './negotiate-tokens.ts';

const REQUEST: ClientRequestFacts = { method: 'GET', target: 'http://origin.test/', peerHost: 'proxy.test' };
const BARE: Challenge = withParams('negotiate');
const FIRST = base64(framed(OID.spnego, negTokenInit([OID.kerberos], framedKerberos(1, apReq()))));
const SECOND = base64(negTokenResp(1));
/** Of the proxy: goes on, ends with a proof, ends without one. */
const GOES_ON = base64(negTokenResp(3, OID.kerberos));
const PROOF = base64(negTokenResp(0, OID.kerberos, framedKerberos(2, apRep())));
const AGREED = base64(negTokenResp(0, OID.kerberos));

const sent = (token: string, complete = false): SecurityStep => ({ ok: true, token, complete });
const failed = (why: string): SecurityStep => ({ ok: false, why });

/** A GSS-API that has one context at a time, with these steps, and notes what it was asked. */
function gss(...steps: readonly SecurityStep[]) {
  const asked: string[] = [];
  const initiate = (spn: string) => {
    asked.push(spn);
    let next = 0;
    return {
      step: (token: string): SecurityStep => {
        asked.push(token);
        const step = steps[next++];
        if (step === undefined) throw new Error('a step that the script does not have');
        return step;
      },
    };
  };
  return { asked, initiate };
}

/** A client, and the turns and conclusions that a driver would get of it. */
function parties(steps: readonly SecurityStep[], options: NegotiateOptions = {}) {
  const { asked, initiate } = gss(...steps);
  const client = negotiateClient({ initiate }, options);
  return {
    asked,
    client,
    answer: async (challenge: Challenge, state?: NegotiateClientState) => client.answer([challenge], REQUEST, state),
    conclude: async (state: NegotiateClientState, ...challenges: readonly Challenge[]) =>
      client.conclude?.({ info: new Map(), challenges }, REQUEST, state),
  };
}

function sentBy(turn: ClientTurn<NegotiateClientState>) {
  if (turn.kind !== 'send') throw new Error(turn.detail);
  return turn;
}

const token = (token68: string): Challenge => withToken('negotiate', token68);

describe('the first leg', () => {
  test('sends the first token of a context with the proxy by its name, which is an attempt', async () => {
    const { asked, client, answer } = parties([sent(FIRST)]);
    expect(client).toMatchObject({ name: 'negotiate', binding: 'connection', perishable: true });
    const turn = sentBy(await answer(BARE));
    expect(turn.credentials).toEqual(withToken('negotiate', FIRST));
    expect(turn.complete).toBeUndefined();
    expect(asked).toEqual(['HTTP/proxy.test', '']);
  });

  test('takes the name of the service from the configuration', async () => {
    const { asked, answer } = parties([sent(FIRST)], { spn: 'HTTP/other.test' });
    await answer(BARE);
    expect(asked).toEqual(['HTTP/other.test', '']);
  });

  test.each(['HTTP@proxy.test', 'proxy.test', 'HTTP/proxy.test@TEST', 'HTTP/', '/x', 'HTTP/a\r\nb', 'a/b/c', ''])(
    'the name %j is refused at once',
    (spn) => {
      expect(() => negotiateClient(gss(), { spn })).toThrow(AuthError);
    },
  );

  test('a realm in the challenge does no harm', async () => {
    const { answer } = parties([sent(FIRST)]);
    expect(await answer(withParams('negotiate', [['realm', 'x']]))).toMatchObject({ kind: 'send' });
  });

  test('without a ticket nothing is sent, and what GSS-API said is told', async () => {
    const { answer } = parties([failed('no ticket in FILE:/tmp/x: kinit')]);
    expect(await answer(BARE)).toEqual({
      kind: 'refuse',
      reason: 'unsupported',
      detail: 'no token for HTTP/proxy.test: no ticket in FILE:/tmp/x: kinit',
    });
  });

  test('an empty token is not sent', async () => {
    expect(await parties([sent('')]).answer(BARE)).toMatchObject({ kind: 'refuse', reason: 'unsupported' });
  });

  test('a proxy that opens with a token is refused, and GSS-API does not hear of it', async () => {
    const { asked, answer } = parties([]);
    expect(await answer(token(PROOF))).toMatchObject({ kind: 'refuse', reason: 'unexpected-token' });
    expect(asked).toEqual([]);
  });
});

describe('later legs', () => {
  test('a token of the proxy goes to the same context, and what that makes of it is sent', async () => {
    const { asked, answer } = parties([sent(FIRST), sent(SECOND, true)]);
    const first = sentBy(await answer(BARE));
    const second = sentBy(await answer(token(GOES_ON), first.state));
    expect(second.credentials).toEqual(withToken('negotiate', SECOND));
    expect(second.state).toMatchObject({ complete: true });
    expect(asked).toEqual(['HTTP/proxy.test', '', GOES_ON]);
  });

  test.each<[string, Challenge, readonly SecurityStep[], string, string]>([
    ['no token', BARE, [], 'rejected', 'the ticket was not accepted'],
    ['a refusal of SPNEGO', token(base64(negTokenResp(2))), [], 'rejected', 'SPNEGO: reject'],
    [
      'a refusal with an error of Kerberos',
      token(base64(negTokenResp(2, OID.kerberos, framedKerberos(3, krbError(37))))),
      [],
      'rejected',
      'KRB_AP_ERR_SKEW: the clocks differ too much',
    ],
    [
      'an error of Kerberos as it is',
      token(base64(krbError(41, 'wrong key'))),
      [],
      'rejected',
      'KRB_AP_ERR_MODIFIED: the service has another key, or the message was changed (wrong key)',
    ],
    [
      'an agreement beside a 407',
      token(AGREED),
      [],
      'rejected',
      'the proxy asks again, though the negotiation is over',
    ],
    [
      'a proof after which nothing is left to say',
      token(PROOF),
      [sent('', true)],
      'rejected',
      'nothing is left to be sent',
    ],
    [
      'NTLM in place of Kerberos',
      token(base64(negTokenResp(1, OID.ntlm))),
      [],
      'unsupported',
      'the proxy wants NTLM inside of Negotiate',
    ],
    [
      'a message of NTLM',
      token(base64(Buffer.from('NTLMSSP\0\x02\0\0\0'))),
      [],
      'unsupported',
      'the proxy wants NTLM inside of Negotiate',
    ],
    [
      'another mechanism',
      token(base64(negTokenResp(1, OID.negoEx, framed(OID.negoEx)))),
      [],
      'unsupported',
      'the proxy wants NegoEx',
    ],
    [
      'the token of a client',
      token(FIRST),
      [],
      'unexpected-token',
      'the token of the proxy: a NegTokenInit, which is for the client to send',
    ],
    [
      'the ticket of a client',
      token(base64(apReq())),
      [],
      'unexpected-token',
      'the token of the proxy: a ticket, which is for the client to send',
    ],
    ['no base64', token('AA=A'), [], 'unexpected-token', 'the token of the proxy: no base64'],
    [
      'a proof that does not hold',
      token(PROOF),
      [failed('Message stream modified')],
      'unexpected-token',
      'the token of the proxy does not go on: Message stream modified',
    ],
  ])('after the ticket, %s ends it', async (_what, challenge, steps, reason, detail) => {
    const { asked, answer } = parties([sent(FIRST), ...steps]);
    const { state } = sentBy(await answer(BARE));
    expect(await answer(challenge, state)).toEqual({ kind: 'refuse', reason, detail });
    // What can be read here, GSS-API does not get.
    expect(asked).toHaveLength(2 + steps.length);
  });

  test('a context that is established takes no further token', async () => {
    const { answer } = parties([sent(FIRST, true)]);
    const { state } = sentBy(await answer(BARE));
    expect(await answer(token(GOES_ON), state)).toMatchObject({ kind: 'refuse', reason: 'rejected' });
  });
});

describe('what comes beside the answer', () => {
  const conclusion = async (
    step: SecurityStep | undefined,
    challenges: readonly Challenge[],
    options: NegotiateOptions = {},
    first = sent(FIRST),
  ) => {
    const { asked, answer, conclude } = parties(step === undefined ? [first] : [first, step], options);
    const { state } = sentBy(await answer(BARE));
    return { asked, heard: await conclude(state, ...challenges) };
  };
  const trusted = { kind: 'trusted', state: { complete: true } };

  test('a proof is verified by the context, which is then forgotten', async () => {
    const { asked, heard } = await conclusion(sent('', true), [token(PROOF)], { mutual: true });
    expect(heard).toEqual(trusted);
    expect(asked).toEqual(['HTTP/proxy.test', '', PROOF]);
  });

  test.each<[string, readonly Challenge[]]>([
    ['nothing', []],
    ['a bare challenge', [BARE]],
    ['an agreement without a proof', [token(AGREED)]],
  ])('%s is allowed, unless a proof is required', async (_what, challenges) => {
    expect((await conclusion(undefined, challenges)).heard).toEqual(trusted);
    expect((await conclusion(undefined, challenges, { mutual: true })).heard).toMatchObject({ kind: 'impostor' });
  });

  test.each<[string, string, SecurityStep | undefined]>([
    ['a proof that does not hold', PROOF, failed('Message stream modified')],
    ['a proof that is not whole', PROOF, sent('', false)],
    ['a token that cannot be read', 'AA==', undefined],
    ['a refusal', base64(negTokenResp(2)), undefined],
    ['an error', base64(krbError(31)), undefined],
    ['the token of a client', FIRST, undefined],
  ])('%s shows an impostor', async (_what, token68, step) => {
    expect((await conclusion(step, [token(token68)])).heard).toMatchObject({ kind: 'impostor' });
  });

  test('after a context that was established before, nothing is left to be proved', async () => {
    const { heard } = await conclusion(undefined, [token(PROOF)], { mutual: true }, sent(FIRST, true));
    expect(heard).toEqual(trusted);
  });
});

describe('another exchange, unasked', () => {
  test('has a context of its own, and what is known stays as it is', async () => {
    const { asked, client } = parties([sent(FIRST)]);
    const known: NegotiateClientState = { complete: true };
    const [one, other] = [client.resume?.(REQUEST, known), client.resume?.(REQUEST, known)];
    expect([one?.next, other?.next]).toEqual([known, known]);
    const states = [await one?.turn, await other?.turn].map((turn) => turn && sentBy(turn).state);
    expect(states[0]?.context).not.toBe(states[1]?.context);
    expect(asked.toSorted()).toEqual(['', '', 'HTTP/proxy.test', 'HTTP/proxy.test']);
  });
});

describe('in the chain', () => {
  const refusal = (...challenges: readonly Challenge[]): ChainEvent => ({
    kind: 'response',
    status: 407,
    challenges,
    persistent: true,
    notPermitted: false,
  });
  const granted: ChainEvent = { ...refusal(), status: 200 } as ChainEvent;

  /** What a driver does with these events; the answers of the client are put in between. */
  async function drive(steps: readonly SecurityStep[], events: readonly ChainEvent[]): Promise<readonly string[]> {
    const { client } = parties(steps);
    const done: string[] = [];
    let state: ChainState = clientChain([client]);
    for (const event of events) {
      let action: ReturnType<typeof advance>[1];
      [state, action] = advance(state, event);
      if (action.kind === 'ask') {
        const turn = await action.scheme.answer(action.challenges, REQUEST, action.state);
        [state, action] = advance(state, { kind: 'turn', turn });
      }
      done.push(
        action.kind === 'send' ? `send ${action.connection} ${action.credentials?.token68 ?? ''}` : action.kind,
      );
    }
    return done;
  }

  test.each<[string, readonly SecurityStep[], readonly ChainEvent[], readonly string[]]>([
    [
      'a ticket that is taken',
      [sent(FIRST)],
      [{ kind: 'start' }, refusal(BARE), granted],
      ['send any ', `send fresh ${FIRST}`, 'relay'],
    ],
    [
      'a ticket that is not',
      [sent(FIRST)],
      [{ kind: 'start' }, refusal(BARE), refusal(BARE)],
      ['send any ', `send fresh ${FIRST}`, 'rejected'],
    ],
    [
      'two legs, on one connection',
      [sent(FIRST), sent(SECOND, true)],
      [{ kind: 'start' }, refusal(BARE), refusal(token(GOES_ON)), granted],
      ['send any ', `send fresh ${FIRST}`, `send same ${SECOND}`, 'relay'],
    ],
    ['no ticket', [failed('none')], [{ kind: 'start' }, refusal(BARE)], ['send any ', 'unanswerable']],
  ])('%s', async (_what, steps, events, done) => {
    expect(await drive(steps, events)).toEqual(done);
  });
});

describe('whatever a proxy says', () => {
  const challenge = fc.oneof(
    fc.constant(BARE),
    fc.base64String({ maxLength: 64 }).map(token),
    fc.uint8Array({ maxLength: 64 }).map((bytes) => token(base64(field(1, bytes)))),
    fc.constantFrom(...[GOES_ON, PROOF, AGREED, FIRST].map(token)),
  );

  test('there is a turn, and a conclusion', async () => {
    await fc.assert(
      fc.asyncProperty(challenge, fc.boolean(), async (said, complete) => {
        const { answer, conclude } = parties([sent(FIRST, complete), sent(SECOND, true), sent('', true)]);
        const { state } = sentBy(await answer(BARE));
        expect(['send', 'refuse']).toContain((await answer(said, state)).kind);
        expect(['trusted', 'impostor']).toContain((await conclude(state, said))?.kind);
      }),
    );
  });
});
