import { runInNewContext } from 'node:vm';
import type {
  Credentials,
  GateState,
  GateStep,
  MaybePromise,
  SchemeName,
  VerifierScheme,
  VerifierTurn,
} from '@chain407/auth';
import { basicVerifier, challengeLines, VerifierGate, withParams, withToken } from '@chain407/auth';
import { describe, expect, test } from '@jest/globals';

const REQUEST = { method: 'GET', target: 'http://origin.test/', peerHost: 'proxy.test' };

/** What a scheme was asked: its credentials, and its state on this connection. */
type Asked = readonly [string | undefined, unknown];

/**
 * Bound to its connection, and judges by what the token says. It writes down what it was asked, so that a test can
 * tell a handshake that goes on from one that starts again.
 */
function handshake(
  name: SchemeName,
  asked: Asked[] = [],
  late: (turn: VerifierTurn) => MaybePromise<VerifierTurn> = (turn) => turn,
): VerifierScheme {
  const judge = ({ token68 }: Credentials, state: unknown): VerifierTurn => {
    asked.push([token68, state]);
    if (token68 === 'type1') return { kind: 'continue', challenge: withToken(name, 'type2'), state: 'challenged' };
    if (token68 === 'type3' && state === 'challenged') return { kind: 'accept', principal: { name: 'alice' } };
    if (token68 === 'wrong') return { kind: 'reject', user: 'alice', log: 'wrong password' };
    return { kind: 'malformed', log: `${name}: out of turn` };
  };
  return {
    name,
    binding: 'connection',
    offer: () => [withParams(name)],
    judge: (credentials, _request, state) => late(judge(credentials, state)),
  };
}

const basic = basicVerifier('lab', (name, password) => (password.reveal() === 'secret' ? { name } : undefined));
const basicOf = (userPass: string) => `Basic ${Buffer.from(userPass).toString('base64')}`;

const IN_HANDSHAKE: GateState = { phase: 'handshake', scheme: 'ntlm', schemeState: 'challenged' };
const AUTHENTICATED: GateState = { phase: 'authenticated', scheme: 'ntlm', principal: { name: 'bob' } };
const STATES = [
  { connection: 'new', state: undefined },
  { connection: 'in handshake', state: IN_HANDSHAKE },
  { connection: 'authenticated', state: AUTHENTICATED },
] as const;

/** The gate of most tests; `asked` as in {@link handshake}. */
function lab(asked: Asked[] = []): VerifierGate {
  return new VerifierGate([handshake('negotiate'), handshake('ntlm', asked), basic]);
}

/** The verdict in one line, and the state that is left. */
function brief({ verdict, state }: GateStep): readonly [string, GateState | undefined] {
  switch (verdict.kind) {
    case 'admitted':
      return [`admitted ${verdict.principal.name} by ${verdict.scheme}`, state];
    case 'ask':
      return [`ask, ${verdict.reason}: ${challengeLines(verdict.challenges).join(', ')}`, state];
    case 'malformed':
    case 'unavailable':
    case 'too-large':
      return [`${verdict.kind}: ${verdict.log}`, state];
    default:
      return verdict satisfies never;
  }
}

function judged(gate: VerifierGate, lines: readonly string[], state?: GateState): ReturnType<typeof brief> {
  const step = gate.judge(lines, REQUEST, state);
  if ('then' in step) throw new Error('a promise from schemes that answer at once');
  return brief(step);
}

const OFFER = 'Negotiate, NTLM, Basic realm="lab", charset="UTF-8"';
const ALICE: GateState = { phase: 'authenticated', scheme: 'ntlm', principal: { name: 'alice' } };

describe('on any connection', () => {
  describe.each(STATES)('$connection', ({ state }) => {
    test.each([
      ['two lines', [basicOf('a:secret'), basicOf('a:secret')], 'more than one Proxy-Authorization'],
      ['an empty line', [''], 'Proxy-Authorization: expected credentials'],
      [
        'two credentials on one line',
        [`${basicOf('a:secret')}, NTLM type1`],
        'Proxy-Authorization: expected one set of credentials, found two',
      ],
      [
        'a line that is no credentials',
        ['"alice"'],
        'Proxy-Authorization: expected an auth-scheme or a name=value parameter',
      ],
      ['credentials that the scheme calls malformed', ['NTLM junk'], 'ntlm: out of turn'],
    ])('%s: malformed, and nothing is known any more', (_name, lines, log) => {
      expect(judged(lab(), lines, state)).toEqual([`malformed: ${log}`, undefined]);
    });

    test('credentials of a scheme that is not offered: ask, unsupported', () => {
      expect(judged(lab(), ['Digest username="a"'], state)).toEqual([`ask, unsupported: ${OFFER}`, undefined]);
    });

    test('credentials of a message-bound scheme: as it judges, and they say nothing of the connection', () => {
      expect(judged(lab(), [basicOf('carol:secret')], state)).toEqual(['admitted carol by basic', undefined]);
      expect(judged(lab(), [basicOf('carol:wrong')], state)).toEqual([`ask, rejected: ${OFFER}`, undefined]);
    });

    test('the scheme in any letter case is the same scheme', () => {
      expect(judged(lab(), [basicOf('carol:secret').replace('Basic', 'bASIC')], state)).toEqual([
        'admitted carol by basic',
        undefined,
      ]);
    });

    test('a rejection by a connection-bound scheme: ask with the whole offer, and nobody is known any more', () => {
      expect(judged(lab(), ['NTLM wrong'], state)).toEqual([`ask, rejected: ${OFFER}`, undefined]);
    });
  });
});

describe('without credentials', () => {
  test('an authenticated connection is the user’s', () => {
    expect(judged(lab(), [], AUTHENTICATED)).toEqual(['admitted bob by ntlm', AUTHENTICATED]);
  });

  test('a new connection is asked: missing', () => {
    expect(judged(lab(), [])).toEqual([`ask, missing: ${OFFER}`, undefined]);
  });

  test('a handshake under way is dropped, and the connection asked: missing', () => {
    expect(judged(lab(), [], IN_HANDSHAKE)).toEqual([`ask, missing: ${OFFER}`, undefined]);
  });
});

describe('with credentials of a connection-bound scheme', () => {
  test.each([
    { connection: 'new', state: undefined },
    { connection: 'authenticated', state: AUTHENTICATED },
    { connection: 'in handshake of another scheme', state: { ...IN_HANDSHAKE, scheme: 'negotiate' as const } },
  ])('a connection that is $connection starts at the start', ({ state }) => {
    const asked: Asked[] = [];
    expect(judged(lab(asked), ['NTLM type1'], state)).toEqual(['ask, continue: NTLM type2', IN_HANDSHAKE]);
    expect(judged(lab(asked), ['NTLM type3'], state)).toEqual(['malformed: ntlm: out of turn', undefined]);
    expect(asked).toEqual([
      ['type1', undefined],
      ['type3', undefined],
    ]);
  });

  test('a connection in handshake of the same scheme goes on with its state, and is then the user’s', () => {
    const asked: Asked[] = [];
    expect(judged(lab(asked), ['NTLM type3'], IN_HANDSHAKE)).toEqual(['admitted alice by ntlm', ALICE]);
    expect(asked).toEqual([['type3', 'challenged']]);
  });

  test('the next leg is asked for with that challenge alone', () => {
    const step = lab().judge(['NTLM type1'], REQUEST, undefined);
    expect(step).toMatchObject({ verdict: { challenges: [withToken('ntlm', 'type2')], log: 'next leg of ntlm' } });
  });

  test('a whole exchange: two legs, then requests without credentials', () => {
    const gate = lab();
    const lines = [[], ['NTLM type1'], ['NTLM type3'], [], []];
    let state: GateState | undefined;
    const verdicts = lines.map((line) => {
      const [verdict, next] = judged(gate, line, state);
      state = next;
      return verdict;
    });
    expect(verdicts).toEqual([
      `ask, missing: ${OFFER}`,
      'ask, continue: NTLM type2',
      'admitted alice by ntlm',
      'admitted alice by ntlm',
      'admitted alice by ntlm',
    ]);
  });

  test('two connections through one gate know nothing of each other', () => {
    const gate = lab();
    const [, first] = judged(gate, ['NTLM type1']);
    expect(judged(gate, ['NTLM type3'], undefined)).toEqual(['malformed: ntlm: out of turn', undefined]);
    expect(judged(gate, ['NTLM type3'], first)).toEqual(['admitted alice by ntlm', ALICE]);
  });

  test('credentials on an authenticated connection are judged, and who was there before is forgotten', () => {
    const gate = lab();
    const [, challenged] = judged(gate, ['NTLM type1'], AUTHENTICATED);
    expect(judged(gate, ['NTLM type3'], challenged)).toEqual(['admitted alice by ntlm', ALICE]);
    expect(judged(gate, ['NTLM wrong'], AUTHENTICATED)).toEqual([`ask, rejected: ${OFFER}`, undefined]);
  });
});

describe('what is said of a rejection', () => {
  test('names the user and the reason for the log, and only the offer for the peer', () => {
    expect(lab().judge([basicOf('carol:wrong')], REQUEST, undefined)).toEqual({
      verdict: {
        kind: 'ask',
        reason: 'rejected',
        user: 'carol',
        log: 'unknown user or wrong password',
        challenges: lab().offer(),
      },
      state: undefined,
    });
  });

  test('names no user where none was given', () => {
    const step = lab().judge([], REQUEST, undefined);
    expect('verdict' in step && Object.keys(step.verdict)).not.toContain('user');
  });
});

describe('the offer', () => {
  test('has one challenge per scheme, in the order in which the gate was given them, each on its own line', () => {
    const gate = new VerifierGate([basic, handshake('ntlm'), handshake('negotiate')]);
    expect(challengeLines(gate.offer())).toEqual(['Basic realm="lab", charset="UTF-8"', 'NTLM', 'Negotiate']);
  });
});

describe('time', () => {
  test('schemes that answer at once are answered for at once', () => {
    const gate = lab();
    const lines = [[], ['NTLM type1'], ['Bearer x'], ['?'], [basicOf('carol:secret')], [basicOf('carol:wrong')]];
    expect(lines.filter((line) => 'then' in gate.judge(line, REQUEST, undefined))).toEqual([]);
  });

  // A promise of another realm is no `Promise` of this one: what a native add-on or a worker hands out.
  const foreign = runInNewContext('(value) => Promise.resolve(value)') as (turn: VerifierTurn) => Promise<VerifierTurn>;
  test.each<[string, (turn: VerifierTurn) => Promise<VerifierTurn>]>([
    ['a promise', async (turn) => turn],
    ['a promise of another realm', foreign],
  ])('a scheme that answers by %s has the same verdicts', async (_name, late) => {
    const gate = new VerifierGate([handshake('ntlm', [], late)]);
    const legs = [
      ['NTLM type1', undefined, ['ask, continue: NTLM type2', IN_HANDSHAKE]],
      ['NTLM type3', IN_HANDSHAKE, ['admitted alice by ntlm', ALICE]],
      ['NTLM wrong', undefined, ['ask, rejected: NTLM', undefined]],
      ['NTLM junk', undefined, ['malformed: ntlm: out of turn', undefined]],
    ] as const;
    for (const [line, state, expected] of legs) {
      const step = gate.judge([line], REQUEST, state);
      expect('then' in step).toBe(true);
      expect(brief(await step)).toEqual(expected);
    }
  });

  test('no one is admitted when a scheme fails', async () => {
    const down = new Error('helper gone');
    const gate = new VerifierGate([handshake('ntlm', [], () => Promise.reject(down))]);
    await expect(gate.judge(['NTLM type1'], REQUEST, undefined)).rejects.toBe(down);
  });
});
