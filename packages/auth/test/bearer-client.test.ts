import { describe, expect, test } from '@jest/globals';
import { advance, clientChain } from '../src/client-chain.ts';
import { formatMessage, parseChallenges } from '../src/grammar.ts';
import type { Challenge } from '../src/message.ts';
import type { ClientRequestFacts, ClientScheme, ClientTurn } from '../src/scheme.ts';
import type { BearerOptions, BearerState, TokenSource } from '../src/schemes/bearer/client.ts';
import { bearerClient } from '../src/schemes/bearer/client.ts';
import { Secret } from '../src/secret.ts';

const REQUEST: ClientRequestFacts = { method: 'GET', target: 'http://origin.test/', peerHost: 'proxy.test' };
/** 2026-01-01, in seconds. */
const NEW_YEAR = 1_767_225_600;

const ASKED = 'Bearer realm="lab"';
const INVALID = 'Bearer realm="lab", error="invalid_token", error_description="The access token expired"';
const SCOPE = 'Bearer realm="lab", error="insufficient_scope", error_description="no web"';

const jwt = (exp: number, name = 'a'): string =>
  [{ alg: 'RS256' }, { exp, name }]
    .map((json) => Buffer.from(JSON.stringify(json)).toString('base64url'))
    .join('.')
    .concat('.c2ln');

/** A source that has these tokens, one after the other, and tells how often it was asked for the next. */
class Tokens implements TokenSource {
  current: Secret;
  asked = 0;
  readonly #rest: string[];

  constructor(...[first = '', ...rest]: readonly string[]) {
    this.current = new Secret(first);
    this.#rest = rest;
  }

  /** As a file that someone else writes. */
  move(): void {
    const next = this.#rest.shift();
    if (next !== undefined) this.current = new Secret(next);
  }

  async renew(): Promise<Secret> {
    this.asked += 1;
    this.move();
    return this.current;
  }
}

interface Bench {
  readonly client: ClientScheme<BearerState>;
  readonly clock: { now: number };
}

function bench(source: TokenSource, options: Omit<BearerOptions, 'now'> = {}, now = NEW_YEAR * 1000): Bench {
  const clock = { now };
  return { clock, client: bearerClient(source, { ...options, now: () => clock.now }) };
}

const challenges = (line: string): Challenge[] => parseChallenges([line]).challenges;
const said = (turn: ClientTurn): string =>
  turn.kind === 'send' ? formatMessage(turn.credentials) : `${turn.reason}: ${turn.detail}`;

/** How an exchange goes on through these challenges: what is said to each. */
async function exchange({ client }: Bench, ...lines: readonly string[]): Promise<string[]> {
  const transcript: string[] = [];
  let state: BearerState | undefined;
  for (const line of lines) {
    const turn = await client.answer(challenges(line), REQUEST, state);
    transcript.push(said(turn));
    if (turn.kind === 'refuse') break;
    state = turn.state;
  }
  return transcript;
}

/** What goes out unasked. */
async function resumed({ client }: Bench): Promise<string> {
  const resumption = client.resume?.(REQUEST, { sent: new Secret('former'), renewed: true });
  return resumption === undefined ? 'nothing' : said(await resumption.turn);
}

describe('a request with a token that is fresh', () => {
  test('costs nothing that the one before has not made: no promise, no object', async () => {
    const tokens = new Tokens(jwt(NEW_YEAR + 3600));
    const { client } = bench(tokens);
    const [once, twice] = [1, 2].map(() => client.resume?.(REQUEST, { sent: tokens.current, renewed: false }));
    expect(once).toBeDefined();
    expect(twice).toBe(once);
    expect(once?.turn).toMatchObject({
      kind: 'send',
      credentials: { scheme: 'bearer', token68: tokens.current.reveal() },
    });
    expect(client.answer(challenges(ASKED), REQUEST, undefined)).toBe(once?.turn);
  });

  test('has the new one as soon as the source has it', async () => {
    const tokens = new Tokens('first', 'second');
    const one = bench(tokens);
    expect(await resumed(one)).toBe('Bearer first');
    tokens.move();
    expect(await resumed(one)).toBe('Bearer second');
    expect(await exchange(one, ASKED)).toEqual(['Bearer second']);
    expect(tokens.asked).toBe(0);
  });

  test('waits for the question where the token has no form on the wire', async () => {
    const one = bench(new Tokens('hunter 2'));
    expect(await resumed(one)).toMatch(/^unsupported: the token holds/);
    expect(await exchange(one, ASKED)).toEqual([expect.stringMatching(/^unsupported: the token holds/)]);
  });
});

describe('a token that ends', () => {
  const end = NEW_YEAR + 3600;
  const next = jwt(end + 3600);

  test.each<[string, number, number]>([
    ['is sent 31 s before its end', end - 31, 0],
    ['is renewed 29 s before its end', end - 29, 1],
    ['is renewed after its end', end + 1, 1],
  ])('%s', async (_what, seconds, asked) => {
    const tokens = new Tokens(jwt(end), next);
    const one = bench(tokens);
    one.clock.now = seconds * 1000;
    expect(await resumed(one)).toBe(`Bearer ${asked === 0 ? jwt(end) : next}`);
    expect(tokens.asked).toBe(asked);
    expect(await resumed(one)).toBe(`Bearer ${asked === 0 ? jwt(end) : next}`);
    expect(tokens.asked).toBe(asked);
  });

  test('has ended before it is sent first, where it was old from the start', async () => {
    const tokens = new Tokens(jwt(NEW_YEAR - 1), next);
    expect(await exchange(bench(tokens), ASKED)).toEqual([`Bearer ${next}`]);
    expect(tokens.asked).toBe(1);
  });

  test('may do so by the configuration, as an opaque one does not say', async () => {
    const tokens = new Tokens('first', 'second', 'third');
    const one = bench(tokens, { lifetime: 600_000 });
    one.clock.now += 569_000;
    expect(await resumed(one)).toBe('Bearer first');
    one.clock.now += 2_000;
    expect(await resumed(one)).toBe('Bearer second');
    one.clock.now += 569_000;
    expect(await resumed(one)).toBe('Bearer second');
    one.clock.now += 2_000;
    expect(await resumed(one)).toBe('Bearer third');
  });

  test('after a short life is used for half of it', async () => {
    const one = bench(new Tokens('first', 'second'), { lifetime: 20_000 });
    one.clock.now += 9_999;
    expect(await resumed(one)).toBe('Bearer first');
    one.clock.now += 2;
    expect(await resumed(one)).toBe('Bearer second');
  });

  test('is sent all the same where there is no other, and the source is left in peace for a time', async () => {
    const tokens = new Tokens(jwt(end));
    const one = bench(tokens);
    one.clock.now = (end + 60) * 1000;
    for (let i = 0; i < 3; i += 1) expect(await resumed(one)).toBe(`Bearer ${jwt(end)}`);
    expect(tokens.asked).toBe(1);
    one.clock.now += 30_001;
    expect(await resumed(one)).toBe(`Bearer ${jwt(end)}`);
    expect(tokens.asked).toBe(2);
  });

  test('and is renewed before it is sent is not renewed again in the same exchange', async () => {
    const tokens = new Tokens(jwt(NEW_YEAR - 1), next, 'third');
    expect(await exchange(bench(tokens), ASKED, INVALID)).toEqual([
      `Bearer ${next}`,
      'rejected: invalid_token: The access token expired',
    ]);
    expect(tokens.asked).toBe(1);
  });

  test('is said to follow from a source that gives nothing', async () => {
    const current = new Secret(jwt(NEW_YEAR - 1));
    const one = bench({ current, renew: () => undefined });
    expect(await resumed(one)).toBe(`Bearer ${current.reveal()}`);
  });
});

describe('a 407 for a token that was sent', () => {
  const REJECTED = 'rejected: invalid_token: The access token expired';

  test.each<[string, readonly string[], readonly string[], readonly string[], number]>([
    [
      'is a rejection without a reason',
      ['first', 'second'],
      [ASKED, ASKED],
      ['Bearer first', 'rejected: token not accepted'],
      0,
    ],
    [
      'is a rejection for a reason that no other token helps',
      ['first', 'second'],
      [ASKED, 'Bearer error="invalid_request"'],
      ['Bearer first', 'rejected: invalid_request'],
      0,
    ],
    [
      'asks for another where it says invalid_token',
      ['first', 'second'],
      [ASKED, INVALID],
      ['Bearer first', 'Bearer second'],
      1,
    ],
    [
      'asks once in an exchange',
      ['first', 'second', 'third'],
      [ASKED, INVALID, INVALID],
      ['Bearer first', 'Bearer second', REJECTED],
      1,
    ],
    [
      'is a rejection where the other token is the same',
      ['first', 'first'],
      [ASKED, INVALID],
      ['Bearer first', REJECTED],
      1,
    ],
    [
      'is a rejection where the other token cannot be sent',
      ['first', 'hunter 2'],
      [ASKED, INVALID],
      ['Bearer first', REJECTED],
      1,
    ],
    [
      'says nothing against the token where it lacks scope',
      ['first', 'second'],
      [ASKED, SCOPE],
      ['Bearer first', 'unsupported: the token is good, but not for this: insufficient_scope: no web'],
      0,
    ],
  ])('%s', async (_what, tokens, lines, transcript, asked) => {
    const source = new Tokens(...tokens);
    expect(await exchange(bench(source), ...lines)).toEqual(transcript);
    expect(source.asked).toBe(asked);
  });

  test('is answered by the token that has come meanwhile, without asking for a third', async () => {
    const tokens = new Tokens('first', 'second', 'third');
    const one = bench(tokens);
    const turn = await one.client.answer(challenges(ASKED), REQUEST, undefined);
    tokens.move();
    const state = turn.kind === 'send' ? turn.state : undefined;
    expect(said(await one.client.answer(challenges(INVALID), REQUEST, state))).toBe('Bearer second');
    expect(tokens.asked).toBe(0);
  });

  test('asks for another where the token has ended on its way, whatever it says', async () => {
    const tokens = new Tokens(jwt(NEW_YEAR + 60), 'second');
    const one = bench(tokens);
    const turn = await one.client.answer(challenges(ASKED), REQUEST, undefined);
    one.clock.now += 61_000;
    const state = turn.kind === 'send' ? turn.state : undefined;
    expect(said(await one.client.answer(challenges(ASKED), REQUEST, state))).toBe('Bearer second');
  });

  test('ends as one rejection in the chain, however many tokens were sent', async () => {
    const { client } = bench(new Tokens('first', 'second', 'third'));
    const tell = (line: string) =>
      ({ kind: 'response', status: 407, challenges: challenges(line), persistent: true, notPermitted: false }) as const;
    const transcript: string[] = [];
    let [state, action] = advance(clientChain([client as ClientScheme]), { kind: 'start' });
    for (const line of [ASKED, INVALID, INVALID]) {
      [state, action] = advance(state, tell(line));
      if (action.kind === 'ask') {
        const turn = await action.scheme.answer(action.challenges, REQUEST, action.state);
        [state, action] = advance(state, { kind: 'turn', turn });
      }
      transcript.push(action.kind === 'send' && action.credentials ? formatMessage(action.credentials) : action.kind);
    }
    expect(transcript).toEqual(['Bearer first', 'Bearer second', 'rejected']);
  });
});
