import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { formatMessage, parseChallenges } from '../src/grammar.ts';
import type { Challenge } from '../src/message.ts';
import { withParams } from '../src/message.ts';
import type { ClientRequestFacts, ClientTurn } from '../src/scheme.ts';
import type { DigestState } from '../src/schemes/digest/client.ts';
import { digestClient } from '../src/schemes/digest/client.ts';
import { Secret } from '../src/secret.ts';
import type { Client } from './digest-parties.ts';
import { ALICE, clientOf, counting, REQUEST, resumed, sentBy } from './digest-parties.ts';

/** A challenge as a line says it, so that what is tested is what proxies write. */
function challenge(text: string): Challenge {
  const [parsed, ...others] = parseChallenges([`Digest realm="r", ${text}`]).challenges;
  if (parsed === undefined || others.length > 0) throw new Error('not one challenge');
  return parsed;
}

const plain = (nonce: string, more = ''): Challenge => challenge(`nonce="${nonce}", qop="auth", algorithm=MD5${more}`);
const stale = (nonce: string): Challenge => plain(nonce, ', stale=TRUE');

async function answered(client: Client, challenges: readonly Challenge[], request = REQUEST, state?: DigestState) {
  return sentBy(await client.answer(challenges, request, state));
}

describe('of several challenges', () => {
  test.each<[string, readonly string[], string | undefined]>([
    ['the strongest', ['MD5', 'SHA-256', 'SHA-512-256'], 'SHA-512-256'],
    ['the strongest, whatever the order', ['SHA-512-256', 'SHA-256', 'MD5'], 'SHA-512-256'],
    ['a hash before a session', ['MD5-sess', 'SHA-256-sess', 'MD5'], 'SHA-256-sess'],
    ['one without a session before one with', ['SHA-256-sess', 'SHA-256'], 'SHA-256'],
    ['one that is known', ['SHA3-512', 'MD5', 'token'], 'MD5'],
    ['in any letter case, spelled as the proxy spells it', ['md5', 'sha-256'], 'sha-256'],
  ])('%s is answered', async (_name, algorithms, chosen) => {
    const offered = algorithms.map((name) => challenge(`nonce="n", qop="auth", algorithm=${name}`));
    expect((await answered(clientOf(), offered)).credentials.params.get('algorithm')).toBe(chosen);
  });

  test('a challenge that names no algorithm is of MD5, and gets none named', async () => {
    const { credentials } = await answered(clientOf(), [challenge('nonce="n", qop="auth"')]);
    expect([credentials.params.get('algorithm'), credentials.params.get('response')?.length]).toEqual([undefined, 32]);
  });

  test.each<[string, string]>([
    ['auth', 'auth'],
    ['auth-int,auth', 'auth'],
    ['AUTH-INT', 'auth-int'],
    ['auth-conf , auth', 'auth'],
  ])('qop="%s" is answered with %s', async (offered, qop) => {
    const { credentials } = await answered(clientOf(), [challenge(`nonce="n", qop="${offered}"`)]);
    expect(credentials.params.get('qop')).toBe(qop);
  });

  test.each<[string, readonly string[], string, string]>([
    ['no nonce', ['qop="auth"'], 'unexpected-token', 'a challenge without nonce'],
    [
      'a nonce that would weigh down every request',
      [`nonce="${'n'.repeat(4097)}"`],
      'unsupported',
      'a nonce, opaque or realm of 4097 characters, more than 4096',
    ],
    ['an unknown algorithm', ['nonce="n", algorithm=SHA3'], 'unsupported', 'unknown algorithm "SHA3"'],
    ['an unknown qop', ['nonce="n", qop="auth-conf"'], 'unsupported', 'unknown qop "auth-conf"'],
    ['an empty qop', ['nonce="n", qop=""'], 'unsupported', 'unknown qop ""'],
    [
      'several, each for its reason',
      ['nonce="n", algorithm=SHA3', 'qop="auth"'],
      'unsupported',
      'unknown algorithm "SHA3"; a challenge without nonce',
    ],
    [
      'no qop',
      ['nonce="n"'],
      'unsupported',
      'a challenge without qop, as RFC 2069 has it: that must be allowed to be answered',
    ],
  ])('none can be answered: %s', (_name, challenges, reason, detail) => {
    const turn = clientOf().answer(challenges.map(challenge), REQUEST, undefined);
    expect(turn).toEqual({ kind: 'refuse', reason, detail });
  });

  test('a challenge without realm is malformed', () => {
    const turn = clientOf().answer([withParams('digest', [['nonce', 'n']])], REQUEST, undefined);
    expect(turn).toMatchObject({ reason: 'unexpected-token', detail: 'a challenge without realm' });
  });

  test('a session without qop is not answered, RFC 2069 or not', () => {
    const turn = clientOf(ALICE, { rfc2069: true }).answer(
      [challenge('nonce="n", algorithm=MD5-sess')],
      REQUEST,
      undefined,
    );
    expect(turn).toMatchObject({ reason: 'unsupported', detail: expect.stringContaining('MD5-sess without qop') });
  });

  test('what a proxy writes is shown short and harmless', () => {
    const turn = clientOf().answer(
      [challenge(`nonce="n", algorithm="\xe9${'x'.repeat(1_000_000)}"`)],
      REQUEST,
      undefined,
    );
    expect(turn).toMatchObject({ detail: `unknown algorithm "?${'x'.repeat(39)}…"` });
  });
});

describe('the name', () => {
  const nameOf = async (username: string, more: string) => {
    const { credentials } = await answered(clientOf({ ...ALICE, username }), [plain('n', more)]);
    return formatMessage(credentials).slice('Digest '.length).split(', realm=')[0];
  };

  test.each<[string, string, string]>([
    ['alice', '', 'username="alice"'],
    ['CORP\\alice', '', 'username="CORP\\\\alice"'],
    ['a"b', ', charset=UTF-8', 'username="a\\"b"'],
    // Without charset: a proxy that may be older than RFC 7616, and has ISO 8859-1 or the bytes that it is given.
    ['Jäger', '', 'username="J\xe4ger"'],
    ['Ja\u0308ger', '', 'username="J\xe4ger"'],
    ['日本', '', 'username="\xe6\x97\xa5\xe6\x9c\xac"'],
    ['Jäger', ', charset=utf-8', "username*=UTF-8''J%C3%A4ger"],
    ["Ja\u0308ger (%'*!)", ', charset=UTF-8', "username*=UTF-8''J%C3%A4ger%20%28%25%27%2A!%29"],
    // MD5 of `J:r`.
    ['J', ', userhash=true', 'username="b80a9d68676204e0a72429444aece477", userhash=true'],
  ])('%s%s goes as %s', async (username, more, written) => {
    expect(await nameOf(username, more)).toBe(written);
  });

  test.each(['a\nb', 'a\u0000', '\u0085', '\ud800'])('%j cannot be sent, and nothing is', (username) => {
    const turn = clientOf({ ...ALICE, username }).answer([plain('n')], REQUEST, undefined);
    expect(turn).toMatchObject({ kind: 'refuse', reason: 'unsupported', detail: expect.stringContaining('user name') });
  });
});

describe('a second 407', () => {
  test('is a rejection', async () => {
    const client = clientOf();
    const { state } = await answered(client, [plain('one')]);
    for (const again of [plain('one'), plain('two'), stale('one'), challenge('qop="auth"')]) {
      expect(client.answer([again], REQUEST, state)).toEqual({
        kind: 'refuse',
        reason: 'rejected',
        detail: 'user name or password not accepted',
      });
    }
  });

  test('is answered where the nonce was stale, but no more than twice', async () => {
    const client = clientOf();
    let { state } = await answered(client, [plain('0')]);
    for (const nonce of ['1', '2']) {
      const sent = await answered(client, [stale(nonce)], REQUEST, state);
      expect(['nonce', 'nc'].map((name) => sent.credentials.params.get(name))).toEqual([nonce, '00000001']);
      ({ state } = sent);
    }
    expect(client.answer([stale('3')], REQUEST, state)).toEqual({
      kind: 'refuse',
      reason: 'unexpected-token',
      detail: 'the proxy calls every nonce stale',
    });
  });

  test('is answered once where the nonce was an old one and the proxy gives another', async () => {
    const client = clientOf();
    const { state } = await resumed(client, (await answered(client, [plain('old')])).state);
    expect(client.answer([plain('old')], REQUEST, state)).toMatchObject({ reason: 'rejected' });
    expect(client.answer([stale('old')], REQUEST, state)).toMatchObject({ reason: 'rejected' });
    const sent = await answered(client, [plain('new')], REQUEST, state);
    expect(sent.credentials.params.get('nonce')).toBe('new');
    expect(client.answer([plain('newer')], REQUEST, sent.state)).toMatchObject({ reason: 'rejected' });
  });

  test('that cannot be answered is no rejection of what was resumed', async () => {
    const client = clientOf();
    const { state } = await resumed(client, (await answered(client, [plain('old')])).state);
    expect(client.answer([challenge('nonce="n", algorithm=SHA3')], REQUEST, state)).toMatchObject({
      reason: 'unsupported',
    });
  });

  test('leaves the state as it was', async () => {
    const client = clientOf();
    const { state } = await answered(client, [plain('one')]);
    const before = structuredClone({ nc: state.nc, stale: state.stale, resumed: state.resumed });
    await client.answer([stale('two')], REQUEST, state);
    expect({ nc: state.nc, stale: state.stale, resumed: state.resumed }).toEqual(before);
  });
});

describe('a nonce is used again', () => {
  test('counted, with the same cnonce, and two requests at a time never have the same count', async () => {
    const client = clientOf();
    const first = await answered(client, [plain('n', ', opaque="o\\"p"')]);
    const one = client.resume?.(REQUEST, first.state);
    if (one === undefined) throw new Error('cannot be resumed');
    const two = client.resume?.(REQUEST, one.next);
    const turns = [sentBy(await one.turn), sentBy((await two?.turn) as ClientTurn<DigestState>)];
    expect(turns.map(({ credentials }) => credentials.params.get('nc'))).toEqual(['00000002', '00000003']);
    const lasting = ['nonce', 'cnonce', 'opaque', 'realm', 'qop'] as const;
    for (const { credentials } of turns)
      for (const name of lasting) expect(credentials.params.get(name)).toBe(first.credentials.params.get(name));
    expect(turns[0]?.credentials.params.get('response')).not.toBe(turns[1]?.credentials.params.get('response'));
  });

  test('at once, without a promise', async () => {
    const client = clientOf();
    const { state } = await answered(client, [plain('n')]);
    expect(client.resume?.(REQUEST, state).turn).not.toHaveProperty('then');
  });

  test('until the count is at its end: then the proxy is asked', async () => {
    const client = clientOf();
    const { state } = await answered(client, [plain('n')]);
    const last = await resumed(client, { ...state, nc: 0xfffffffe });
    expect(last.credentials.params.get('nc')).toBe('ffffffff');
    expect(client.resume?.(REQUEST, last.state)).toEqual({
      turn: { kind: 'refuse', reason: 'unsupported', detail: 'the nonce has been used up' },
      next: last.state,
    });
  });

  test.each(['', 'n'])('nextnonce "%s" changes nothing', async (nextnonce) => {
    const client = clientOf();
    const { state } = await answered(client, [plain('n')]);
    const epilogue = { info: new Map([['nextnonce', nextnonce]]), challenges: [] };
    expect(client.conclude?.(epilogue, REQUEST, state)).toEqual({ kind: 'trusted', state });
  });

  test('each nonce gets a cnonce of its own', async () => {
    const client = clientOf();
    const cnonces = await Promise.all(
      ['a', 'a', 'b'].map(async (nonce) => (await answered(client, [plain(nonce)])).credentials.params.get('cnonce')),
    );
    expect(new Set(cnonces).size).toBe(3);
  });
});

describe('auth-int', () => {
  const asked = challenge('nonce="n", qop="auth-int"');
  const request = (content: ClientRequestFacts['content']): ClientRequestFacts =>
    content === undefined ? REQUEST : { ...REQUEST, content };

  test('a request without content is answered at once, as an empty one is', async () => {
    const [none, empty] = [clientOf(), clientOf()].map((client, index) =>
      client.answer([asked], request(index === 0 ? undefined : async () => new Uint8Array()), undefined),
    );
    expect(none).not.toHaveProperty('then');
    expect(await none).toEqual(await empty);
  });

  test('content that is too large is refused, in so many words', async () => {
    const turn = clientOf().answer(
      [asked],
      request(async () => undefined),
      undefined,
    );
    expect(await turn).toEqual({
      kind: 'refuse',
      reason: 'unsupported',
      detail: 'the proxy asks for qop=auth-int, and the content is too large to be hashed beforehand',
    });
  });

  test('what the next request resumes from is there while the content is still awaited', async () => {
    const client = clientOf();
    const { state } = await answered(client, [asked]);
    const resumption = client.resume?.(
      request(async () => Buffer.from('x')),
      state,
    );
    expect(resumption?.turn).toBeInstanceOf(Promise);
    expect(resumption?.next.nc).toBe(2);
    expect(await resumption?.turn).toMatchObject({ kind: 'send', state: { nc: 2 } });
  });

  test('content is not asked for where auth will do', async () => {
    const touched: string[] = [];
    const content = async (): Promise<undefined> => void touched.push('content');
    await answered(clientOf(), [challenge('nonce="n", qop="auth-int, auth"')], request(content));
    expect(touched).toEqual([]);
  });

  test('its rspauth covers content that has not come, and is not checked', async () => {
    const client = clientOf();
    const { state } = await answered(client, [asked]);
    const info = new Map([
      ['rspauth', 'anything'],
      ['qop', 'auth-int'],
    ]);
    expect(client.conclude?.({ info, challenges: [] }, REQUEST, state)).toEqual({ kind: 'trusted', state });
  });
});

describe('secrets', () => {
  test('neither client nor state shows the password or what is as good as it', async () => {
    const client = digestClient(
      { username: 'alice', password: new Secret('open sesame') },
      {},
      { entropy: counting() },
    );
    const { state } = await answered(client, [plain('n')]);
    const shown = [
      inspect(client, { depth: 9, showHidden: true }),
      inspect(state, { depth: 9 }),
      JSON.stringify(state),
    ].join();
    expect(shown).toContain('[secret]');
    expect(shown).not.toMatch(/open sesame|(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])/);
  });

  test('no cost is paid twice: the password is hashed once for a realm and an algorithm', async () => {
    const password = new Secret('open sesame');
    let reveals = 0;
    const counted = Object.assign(Object.create(password) as Secret, {
      reveal: () => {
        reveals += 1;
        return password.reveal();
      },
    });
    const client = digestClient({ username: 'alice', password: counted }, {}, { entropy: counting() });
    let { state } = await answered(client, [plain('a')]);
    for (let nc = 2; nc < 10; nc += 1) ({ state } = await resumed(client, state));
    await answered(client, [plain('b')]);
    expect(reveals).toBe(1);
    await answered(client, [challenge('nonce="b", qop="auth", algorithm=SHA-256')]);
    expect(reveals).toBe(2);
    // A hostile proxy that always names another realm does not fill the memory, and is answered all the same.
    for (let realm = 0; realm < 100; realm += 1) {
      const { params } = plain('n');
      await answered(client, [{ scheme: 'digest', params: new Map(params).set('realm', `r${realm}`) }]);
    }
    expect(reveals).toBe(102);
    await answered(client, [plain('a')]);
    expect(reveals).toBe(103);
  });
});
