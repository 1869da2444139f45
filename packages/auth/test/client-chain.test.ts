import type {
  ChainAction,
  ChainEvent,
  ChainState,
  ChainStep,
  Challenge,
  ClientScheme,
  ClientTurn,
  Known,
  SchemeName,
} from '@chain407/auth';
import { AuthError, advance, clientChain, formatMessage, parseChallenges, withToken } from '@chain407/auth';
import { describe, expect, test } from '@jest/globals';

/** A scheme that answers by script, one entry a leg: `(incomplete) TEXT` to send, or a reason to refuse. */
function scripted(name: SchemeName, binding: ClientScheme['binding'], ...script: string[]): ClientScheme<number> {
  return {
    name,
    binding,
    answer: (_challenges, _request, leg = 0) => {
      const [, reason, incomplete, text] = /^(rejected|unsupported|unexpected-token)?(incomplete )?(.*)$/.exec(
        script[leg] ?? 'rejected',
      ) ?? [''];
      if (reason !== undefined) return refuse(reason as 'rejected');
      const send = { kind: 'send', credentials: withToken(name, text ?? ''), state: leg + 1 } as const;
      return incomplete === undefined ? send : { ...send, complete: false };
    },
  };
}

/** As {@link scripted}, and begins unasked with the first entry. */
function resumable(name: SchemeName, binding: ClientScheme['binding'], ...script: string[]): ClientScheme<number> {
  const scheme = scripted(name, binding, ...script);
  const request = { method: 'GET', target: 'http://origin.test/', peerHost: 'proxy.test' };
  return { ...scheme, resume: (_request, state) => ({ turn: scheme.answer([], request, undefined), next: state + 1 }) };
}

const refuse = (reason: 'rejected' | 'unsupported' | 'unexpected-token') =>
  ({ kind: 'refuse', reason, detail: `because ${reason}` }) as const;

const digest = scripted('digest', 'message', 'd');
const basic = scripted('basic', 'message', 'b');
const ntlm = scripted('ntlm', 'connection', 'incomplete type1', 'type3');
const basicAgain = resumable('basic', 'message', 'k');
const ntlmAgain = resumable('ntlm', 'connection', 'incomplete type1', 'type3');

const start = (known?: Known, standing?: Known): ChainEvent => ({
  kind: 'start',
  ...(known === undefined ? {} : { known }),
  ...(standing === undefined ? {} : { standing }),
});
const turn = (value: ClientTurn): ChainEvent => ({ kind: 'turn', turn: value });
const sends = (text: string, state: unknown, complete?: boolean): ChainEvent =>
  turn({
    kind: 'send',
    credentials: withToken('x', text),
    state,
    ...(complete === undefined ? {} : { complete }),
  });
const refuses = (reason: 'rejected' | 'unsupported' | 'unexpected-token'): ChainEvent => turn(refuse(reason));

interface Manners {
  readonly close?: true;
  readonly notPermitted?: true;
}

/** A response with its challenges as they stand in the header lines. */
function response(status: number, lines: readonly string[] = [], { close, notPermitted }: Manners = {}): ChainEvent {
  const { challenges } = parseChallenges(lines);
  return { kind: 'response', status, challenges, persistent: close !== true, notPermitted: notPermitted === true };
}

function play(schemes: readonly ClientScheme[], ...events: readonly ChainEvent[]): ChainStep {
  let step: readonly [ChainState, ChainAction | undefined] = [clientChain(schemes), undefined];
  for (const event of events) step = advance(step[0], event);
  const [state, action] = step;
  if (action === undefined) throw new Error('no event was played');
  return [state, action];
}

const read = (line: string): Challenge[] => parseChallenges([line]).challenges;
const CLOSED = 'the proxy closes the connection in the middle of ntlm, which needs one connection for all legs';

describe('the table', () => {
  const probed = start();
  const asked = (...lines: string[]) => [probed, response(407, lines)];
  const known = { scheme: basicAgain, state: 7 };
  const loggedIn = { scheme: ntlmAgain, state: 2 };

  test.each<{
    row: string;
    schemes: readonly ClientScheme[];
    events: readonly ChainEvent[];
    phase: string;
    action: ChainAction;
  }>([
    {
      row: 'idle, start: send without credentials, any connection',
      schemes: [digest, basic],
      events: [start()],
      phase: 'probing',
      action: { kind: 'send', connection: 'any', complete: true },
    },
    {
      row: 'idle, start, a scheme of ours is known: resume it',
      schemes: [digest, basicAgain],
      events: [start(known)],
      phase: 'resuming',
      action: { kind: 'resume', scheme: basicAgain, state: 7 },
    },
    {
      row: 'idle, start, what is known cannot be resumed: send without credentials, any connection',
      schemes: [digest],
      events: [start({ scheme: digest, state: 7 })],
      phase: 'probing',
      action: { kind: 'send', connection: 'any', complete: true },
    },
    {
      row: 'idle, start, none of ours is known: send without credentials, any connection',
      schemes: [digest],
      events: [start(known)],
      phase: 'probing',
      action: { kind: 'send', connection: 'any', complete: true },
    },
    {
      row: 'idle, start on a connection that ours has logged in: send without credentials, same connection',
      schemes: [ntlmAgain],
      events: [start(loggedIn, loggedIn)],
      phase: 'standing',
      action: { kind: 'send', connection: 'same', complete: true },
    },
    {
      row: 'idle, start on a connection that none of ours has logged in: send without credentials, any connection',
      schemes: [digest],
      events: [start(undefined, loggedIn)],
      phase: 'probing',
      action: { kind: 'send', connection: 'any', complete: true },
    },
    {
      row: 'resuming, send: send, any connection',
      schemes: [basicAgain],
      events: [start(known), sends('k', 8)],
      phase: 'negotiating',
      action: { kind: 'send', credentials: withToken('x', 'k'), connection: 'any', complete: true },
    },
    {
      row: 'resuming, send, bound: send on a fresh connection',
      schemes: [ntlmAgain],
      events: [start(loggedIn), sends('type1', 1, false)],
      phase: 'negotiating',
      action: { kind: 'send', credentials: withToken('x', 'type1'), connection: 'fresh', complete: false },
    },
    {
      row: 'resuming, refuse: send without credentials, any connection',
      schemes: [basicAgain],
      events: [start(known), refuses('unsupported')],
      phase: 'probing',
      action: { kind: 'send', connection: 'any', complete: true },
    },
    {
      row: 'standing, lost: as from idle, without it',
      schemes: [ntlmAgain],
      events: [start(loggedIn, loggedIn), { kind: 'lost' }],
      phase: 'resuming',
      action: { kind: 'resume', scheme: ntlmAgain, state: 2 },
    },
    {
      row: 'standing, not 407: relay',
      schemes: [ntlmAgain],
      events: [start(loggedIn, loggedIn), response(200)],
      phase: 'ended',
      action: { kind: 'relay' },
    },
    {
      row: 'standing, 407 "not permitted": denied',
      schemes: [ntlmAgain],
      events: [start(loggedIn, loggedIn), response(407, ['NTLM'], { notPermitted: true })],
      phase: 'ended',
      action: { kind: 'denied', authenticated: loggedIn },
    },
    {
      row: 'standing, 407: ask the first of ours that is offered',
      schemes: [digest, ntlmAgain],
      events: [start(loggedIn, loggedIn), response(407, ['NTLM'])],
      phase: 'asking',
      action: { kind: 'ask', scheme: ntlmAgain, challenges: read('NTLM'), state: undefined, refused: false },
    },
    {
      row: 'asking, refuse for another reason, after complete credentials: rejected',
      schemes: [ntlm],
      events: [...asked('NTLM'), sends('x', 1), response(407, ['NTLM one-more']), refuses('unexpected-token')],
      phase: 'ended',
      action: { kind: 'rejected', scheme: ntlm, detail: 'because unexpected-token' },
    },
    {
      row: 'negotiating, 407 with the scheme once more after complete credentials: rejected',
      schemes: [digest],
      events: [...asked('Digest'), sends('x', 1), response(407, ['Digest']), sends('y', 2), response(407, ['Digest'])],
      phase: 'ended',
      action: { kind: 'rejected', scheme: digest, detail: 'refused again, although they were new' },
    },
    {
      row: 'probing, not 407: relay',
      schemes: [basic],
      events: [probed, response(403, ['Basic realm="not asked for"'])],
      phase: 'ended',
      action: { kind: 'relay' },
    },
    {
      row: 'probing, 407 without a parseable challenge: unanswerable no-challenge',
      schemes: [basic],
      events: asked('Basic realm="cut'),
      phase: 'ended',
      action: { kind: 'unanswerable', reason: 'no-challenge', detail: 'the 407 has no challenge that can be read' },
    },
    {
      row: 'probing, 407 with a challenge that cannot be read: unanswerable, and says where',
      schemes: [basic],
      events: [
        probed,
        { kind: 'response', status: 407, challenges: [], persistent: true, notPermitted: false, fault: 'at 7' },
      ],
      phase: 'ended',
      action: {
        kind: 'unanswerable',
        reason: 'no-challenge',
        detail: 'the 407 has no challenge that can be read: at 7',
      },
    },
    {
      row: 'probing, 407, none of ours offered: unanswerable no-common-scheme',
      schemes: [digest],
      events: asked('NTLM', 'Basic realm="a"', 'Basic realm="b"'),
      phase: 'ended',
      action: {
        kind: 'unanswerable',
        reason: 'no-common-scheme',
        detail: 'the proxy offers ntlm, basic, the credentials allow none of these',
      },
    },
    {
      row: 'probing, 407: ask the first of ours that is offered, with all of its challenges',
      schemes: [ntlm, digest, basic],
      events: asked('Basic realm="a"', 'Digest algorithm=SHA-256, Digest algorithm=MD5'),
      phase: 'asking',
      action: {
        kind: 'ask',
        scheme: digest,
        challenges: read('Digest algorithm=SHA-256, Digest algorithm=MD5'),
        state: undefined,
        refused: false,
      },
    },
    {
      row: 'asking, send: send, any connection',
      schemes: [basic],
      events: [...asked('Basic'), sends('x', 1)],
      phase: 'negotiating',
      action: { kind: 'send', credentials: withToken('x', 'x'), connection: 'any', complete: true },
    },
    {
      row: 'asking, send, bound, first leg: send on a fresh connection, also where the probe was on one that stays open',
      schemes: [ntlm],
      events: [...asked('NTLM'), sends('x', 1)],
      phase: 'negotiating',
      action: { kind: 'send', credentials: withToken('x', 'x'), connection: 'fresh', complete: true },
    },
    {
      row: 'asking, send, bound, later leg: send on the same connection',
      schemes: [ntlm],
      events: [...asked('NTLM'), sends('x', 1, false), response(407, ['NTLM abc']), sends('y', 2)],
      phase: 'negotiating',
      action: { kind: 'send', credentials: withToken('x', 'y'), connection: 'same', complete: true },
    },
    {
      row: 'asking, send, bound, later leg, connection closing: unanswerable connection-lost',
      schemes: [ntlm],
      events: [...asked('NTLM'), sends('x', 1, false), response(407, ['NTLM abc'], { close: true }), sends('y', 2)],
      phase: 'ended',
      action: { kind: 'unanswerable', reason: 'connection-lost', detail: CLOSED },
    },
    {
      row: 'asking, refuse rejected: rejected',
      schemes: [digest, basic],
      events: [...asked('Digest, Basic'), refuses('rejected')],
      phase: 'ended',
      action: { kind: 'rejected', scheme: digest, detail: 'because rejected' },
    },
    {
      row: 'asking, refuse otherwise, another of ours was offered: ask that one',
      schemes: [digest, ntlm, basic],
      events: [...asked('Basic realm="a", Digest'), refuses('unsupported')],
      phase: 'asking',
      action: { kind: 'ask', scheme: basic, challenges: read('Basic realm="a"'), state: undefined, refused: false },
    },
    {
      row: 'asking, refuse otherwise, none left: unanswerable no-usable-scheme',
      schemes: [digest, basic],
      events: [...asked('Basic, Digest'), refuses('unsupported'), refuses('unexpected-token')],
      phase: 'ended',
      action: { kind: 'unanswerable', reason: 'no-usable-scheme', detail: 'basic: because unexpected-token' },
    },
    {
      row: 'negotiating, not 407, credentials complete: relay, authenticated, with the state that was sent last',
      schemes: [digest],
      events: [...asked('Digest'), sends('x', { nc: 1 }), response(200)],
      phase: 'ended',
      action: { kind: 'relay', authenticated: { scheme: digest, state: { nc: 1 } } },
    },
    {
      row: 'negotiating, not 407, credentials incomplete: relay, and nothing is known to be good',
      schemes: [ntlm],
      events: [...asked('NTLM'), sends('x', 1, false), response(200)],
      phase: 'ended',
      action: { kind: 'relay' },
    },
    {
      row: 'negotiating, 407 "not permitted", credentials complete: denied',
      schemes: [digest],
      events: [...asked('Digest'), sends('x', 1), response(407, ['Digest'], { notPermitted: true })],
      phase: 'ended',
      action: { kind: 'denied', authenticated: { scheme: digest, state: 1 } },
    },
    {
      row: 'negotiating, 407 "not permitted", credentials incomplete: ask the scheme again, for nobody was recognised',
      schemes: [ntlm],
      events: [...asked('NTLM'), sends('x', 1, false), response(407, ['NTLM abc'], { notPermitted: true })],
      phase: 'asking',
      action: { kind: 'ask', scheme: ntlm, challenges: read('NTLM abc'), state: 1, refused: false },
    },
    {
      row: 'negotiating, 407 with the scheme: ask the scheme again, with its state',
      schemes: [digest, basic],
      events: [...asked('Digest, Basic'), sends('x', 'one'), response(407, ['Basic realm="a", Digest nonce=n'])],
      phase: 'asking',
      action: { kind: 'ask', scheme: digest, challenges: read('Digest nonce=n'), state: 'one', refused: true },
    },
    {
      row: 'negotiating, 407 without the scheme, credentials complete: rejected',
      schemes: [digest, basic],
      events: [...asked('Digest, Basic'), sends('x', 1), response(407, ['Basic realm="a"'])],
      phase: 'ended',
      action: { kind: 'rejected', scheme: digest, detail: 'the proxy no longer offers digest' },
    },
    {
      row: 'negotiating, 407 without the scheme, incomplete: as from probing, with what is left of ours',
      schemes: [ntlm, basic],
      events: [...asked('NTLM, Basic'), sends('x', 1, false), response(407, ['Basic realm="a"'])],
      phase: 'asking',
      action: { kind: 'ask', scheme: basic, challenges: read('Basic realm="a"'), state: undefined, refused: false },
    },
  ])('$row', ({ schemes, events, phase, action }) => {
    const [state, last] = play(schemes, ...events);
    expect([state.phase, last]).toEqual([phase, action]);
  });

  const EVENTS: Readonly<Record<ChainEvent['kind'], ChainEvent>> = {
    start: start(),
    response: response(407, ['Basic']),
    turn: refuses('rejected'),
    lost: { kind: 'lost' },
  };
  const STATES: readonly { state: ChainState; legal: readonly ChainEvent['kind'][] }[] = [
    { state: clientChain([basic]), legal: ['start'] },
    { state: play([basicAgain], start(known))[0], legal: ['turn'] },
    { state: play([ntlmAgain], start(loggedIn, loggedIn))[0], legal: ['response', 'lost'] },
    { state: play([basic], probed)[0], legal: ['response'] },
    { state: play([basic], ...asked('Basic'))[0], legal: ['turn'] },
    { state: play([basic], ...asked('Basic'), sends('x', 1))[0], legal: ['response'] },
    { state: play([basic], probed, response(200))[0], legal: [] },
  ];
  const MOVES = STATES.flatMap(({ state, legal }) =>
    Object.values(EVENTS).map((event) => ({
      state,
      phase: state.phase,
      event,
      kind: event.kind,
      legal: legal.includes(event.kind),
    })),
  );

  test('has every phase in the list of moves that follows', () => {
    expect(STATES.map(({ state }) => state.phase)).toEqual([
      'idle',
      'resuming',
      'standing',
      'probing',
      'asking',
      'negotiating',
      'ended',
    ]);
  });

  test.each(MOVES.filter(({ legal }) => !legal))(
    'has no row for $kind in $phase: it throws, and the state is as it was',
    ({ state, phase, event, kind }) => {
      const before = { ...state };
      const illegal = expect.objectContaining({
        code: 'ERR_AUTH_ILLEGAL_MOVE',
        message: `no move for ${kind} in state ${phase}`,
      });
      expect(() => advance(state, event)).toThrow(illegal);
      expect(() => advance(state, event)).toThrow(AuthError);
      expect(state).toEqual(before);
    },
  );

  test.each(MOVES.filter(({ legal }) => legal))(
    'leaves the state before $kind in $phase as it was, so that a step can be taken again',
    ({ state, event }) => {
      const frozen = Object.freeze({ ...state });
      expect(advance(frozen, event)).toEqual(advance(state, event));
    },
  );
});

/** A proxy that says one thing after the other: `407 LINE | LINE`, with `close` or `not permitted` before a colon. */
async function exchange(schemes: readonly ClientScheme[], proxy: readonly string[], known?: Known): Promise<string[]> {
  const transcript: string[] = [];
  const script = proxy.values();
  let [state, action] = advance(clientChain(schemes), start(known));
  for (;;) {
    switch (action.kind) {
      case 'send': {
        const line = action.credentials === undefined ? 'nothing' : formatMessage(action.credentials);
        transcript.push(`${line}, ${action.connection} connection`);
        const said = script.next();
        if (said.done) throw new Error(`the proxy has no answer to ${transcript.at(-1)}`);
        const [, status, manners = '', lines = ''] = /^(\d+)(?: \((.*)\))?(?: (.*))?$/.exec(said.value) ?? [];
        const event = response(Number(status), lines.split(' | '), {
          ...(manners === 'close' ? { close: true } : {}),
          ...(manners === 'not permitted' ? { notPermitted: true } : {}),
        });
        [state, action] = advance(state, event);
        break;
      }
      case 'ask': {
        const request = { method: 'GET', target: 'http://origin.test/', peerHost: 'proxy.test' };
        const answer = await action.scheme.answer(action.challenges, request, action.state);
        [state, action] = advance(state, turn(answer));
        break;
      }
      case 'resume': {
        const request = { method: 'GET', target: 'http://origin.test/', peerHost: 'proxy.test' };
        const resumed = await action.scheme.resume?.(request, action.state)?.turn;
        if (resumed === undefined) throw new Error('resumed what cannot be resumed');
        [state, action] = advance(state, turn(resumed));
        break;
      }
      case 'denied':
        return [...transcript, `denied ${action.authenticated.scheme.name}`];
      case 'relay':
        return [...transcript, action.authenticated ? `relay, ${action.authenticated.scheme.name} is good` : 'relay'];
      case 'unanswerable':
        return [...transcript, `${action.reason}: ${action.detail}`];
      default:
        return [...transcript, `${action.kind} ${action.scheme.name}`];
    }
  }
}

describe('the rules', () => {
  test.each(['407', '407 Basic realm="cut', '407 realm="no scheme"', '407 Basic a=b, a=b'])(
    'no credentials on a 407 without a parseable challenge: %s',
    async (said) => {
      expect(await exchange([digest, basic], [said])).toEqual([
        'nothing, any connection',
        'no-challenge: the 407 has no challenge that can be read',
      ]);
    },
  );

  test('no credentials at all where the peer may be sent none', async () => {
    const known = { scheme: basicAgain, state: 1 };
    expect(await exchange([], ['407 Basic'], known)).toEqual([
      'nothing, any connection',
      'no-common-scheme: the proxy offers basic, the credentials allow none of these',
    ]);
  });

  test.each(['Basic, Digest, Bearer', 'Bearer, Digest, Basic', 'Digest | Bearer | Basic', 'Basic | Digest'])(
    'only schemes that the credentials allow, strongest first, whatever order the proxy advertises: %s',
    async (offer) => {
      expect(await exchange([digest, basic], [`407 ${offer}`, '200'])).toEqual([
        'nothing, any connection',
        'Digest d, any connection',
        'relay, digest is good',
      ]);
    },
  );

  test('a scheme that is stronger but not allowed is not used, though it alone is offered', async () => {
    expect(await exchange([basic], ['407 Digest'])).toEqual([
      'nothing, any connection',
      'no-common-scheme: the proxy offers digest, the credentials allow none of these',
    ]);
  });

  test('known credentials of a scheme that is no longer allowed are not sent', async () => {
    const known = { scheme: basicAgain, state: 1 };
    expect(await exchange([digest], ['407 Digest, Basic', '200'], known)).toEqual([
      'nothing, any connection',
      'Digest d, any connection',
      'relay, digest is good',
    ]);
  });

  test.each(['407 Digest, Basic', '407 Basic', '407'])(
    'never down to a weaker one after a rejection: %s',
    async (second) => {
      expect(await exchange([digest, basic], ['407 Digest, Basic', second])).toEqual([
        'nothing, any connection',
        'Digest d, any connection',
        'rejected digest',
      ]);
    },
  );

  test('down to the next one where the stronger could not be tried at all', async () => {
    const noTicket = scripted('negotiate', 'connection', 'unsupported');
    expect(await exchange([noTicket, ntlm, basic], ['407 Negotiate, Basic', '200'])).toEqual([
      'nothing, any connection',
      'Basic b, any connection',
      'relay, basic is good',
    ]);
  });

  test('one fresh connection for a connection-bound scheme, and all its legs on the same one', async () => {
    const long = scripted('negotiate', 'connection', 'incomplete one', 'incomplete two', 'three');
    expect(await exchange([long], ['407 Negotiate', '407 Negotiate abc', '407 Negotiate def', '200'])).toEqual([
      'nothing, any connection',
      'Negotiate one, fresh connection',
      'Negotiate two, same connection',
      'Negotiate three, same connection',
      'relay, negotiate is good',
    ]);
  });

  test('no other scheme is tried in the middle of one, though it cannot go on', async () => {
    const garbled = scripted('ntlm', 'connection', 'incomplete type1', 'unexpected-token');
    expect(await exchange([garbled, basic], ['407 NTLM, Basic', '407 NTLM garbage, Basic'])).toEqual([
      'nothing, any connection',
      'NTLM type1, fresh connection',
      'no-usable-scheme: ntlm: because unexpected-token',
    ]);
  });

  test('each connection-bound scheme that is tried has a fresh connection of its own', async () => {
    const noTicket = scripted('negotiate', 'connection', 'unsupported');
    expect(await exchange([noTicket, ntlm], ['407 Negotiate, NTLM', '407 NTLM abc', '200'])).toEqual([
      'nothing, any connection',
      'NTLM type1, fresh connection',
      'NTLM type3, same connection',
      'relay, ntlm is good',
    ]);
  });

  test('a first leg goes out on a fresh connection although the probe came back on one that closes', async () => {
    const transcript = await exchange([ntlm], ['407 (close) NTLM', '407 NTLM abc', '200']);
    expect(transcript.at(1)).toBe('NTLM type1, fresh connection');
    expect(transcript.at(-1)).toBe('relay, ntlm is good');
  });

  test('a type-2-like leg on a closing connection is a failure that says so', async () => {
    expect(await exchange([ntlm, basic], ['407 NTLM, Basic', '407 (close) NTLM abc'])).toEqual([
      'nothing, any connection',
      'NTLM type1, fresh connection',
      `connection-lost: ${CLOSED}`,
    ]);
  });

  test('a rejection on a closing connection is a rejection, since no leg is left to send', async () => {
    expect(await exchange([ntlm], ['407 NTLM', '407 NTLM abc', '407 (close) NTLM'])).toEqual([
      'nothing, any connection',
      'NTLM type1, fresh connection',
      'NTLM type3, same connection',
      'rejected ntlm',
    ]);
  });

  test('a closing connection is nothing to a scheme that is not bound to it', async () => {
    const twice = scripted('digest', 'message', 'one', 'two');
    expect(await exchange([twice], ['407 (close) Digest', '407 (close) Digest stale=true', '200'])).toEqual([
      'nothing, any connection',
      'Digest one, any connection',
      'Digest two, any connection',
      'relay, digest is good',
    ]);
  });

  test('a 407 after a complete attempt is a rejection and not retried', async () => {
    expect(await exchange([basic], ['407 Basic', '407 Basic', '200'])).toEqual([
      'nothing, any connection',
      'Basic b, any connection',
      'rejected basic',
    ]);
  });

  test('a 407 to known credentials is a rejection and not retried, without a probe', async () => {
    const known = { scheme: basicAgain, state: 1 };
    expect(await exchange([digest, basicAgain], ['407 Digest, Basic', '200'], known)).toEqual([
      'Basic k, any connection',
      'rejected basic',
    ]);
  });

  test('a 407 to a message that proved nothing yet is no rejection: what else is offered is tried', async () => {
    expect(await exchange([ntlm, basic], ['407 NTLM, Basic', '407 Basic', '200'])).toEqual([
      'nothing, any connection',
      'NTLM type1, fresh connection',
      'Basic b, any connection',
      'relay, basic is good',
    ]);
  });

  test('a "not permitted" 407 says nothing against the credentials', async () => {
    expect(await exchange([basic], ['407 Basic', '407 (not permitted) Basic'])).toEqual([
      'nothing, any connection',
      'Basic b, any connection',
      'denied basic',
    ]);
  });

  test('stale (a scheme that answers `send` again) is not a rejection', async () => {
    const twice = scripted('digest', 'message', 'one', 'two');
    expect(await exchange([twice, basic], ['407 Digest', '407 Digest stale=true', '200'])).toEqual([
      'nothing, any connection',
      'Digest one, any connection',
      'Digest two, any connection',
      'relay, digest is good',
    ]);
  });
});
