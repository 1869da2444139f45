import type { Faults, ScriptedUpstreamOptions } from '@chain407/testkit';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { RunOptions } from './support.ts';
import {
  basic,
  cleanUp,
  client,
  eventually,
  fieldOf,
  GOOD,
  get,
  onlyGood,
  post,
  request,
  run,
  scripted,
} from './support.ts';

afterEach(cleanUp);

async function chain(upstreamOptions: ScriptedUpstreamOptions = {}, options: RunOptions = {}) {
  const upstream = await scripted({ accept: onlyGood, ...upstreamOptions });
  const downstream = await run({ upstreams: [upstream.port], identity: 'relay', ...options });
  return { upstream, downstream, connection: await client(downstream.port) };
}

const own = (line: string): string => `Proxy-Authorization: ${line}`;

/** The negotiation fields of a response, as they came. */
const negotiationOf = (headers: readonly string[]): string[][] =>
  headers.flatMap((name, i) =>
    i % 2 === 0 && /^proxy-(auth|support)/i.test(name) ? [[name, headers[i + 1] ?? '']] : [],
  );

const WAYS = [
  ['GET', (...fields: string[]) => get('http://origin.test/', ...fields), 200],
  ['POST', (...fields: string[]) => post('body', ...fields), 200],
  ['CONNECT', (...fields: string[]) => request('CONNECT', 'origin.test:443', ...fields), 200],
  [
    'Upgrade',
    (...fields: string[]) => get('http://origin.test/', 'Connection: Upgrade', 'Upgrade: echo', ...fields),
    101,
  ],
] as const;

describe.each(WAYS)('relayed, %s', (_method, message, granted) => {
  const ADVERTISED = ['NEGOTIATE', 'nTLM', 'Digest realm="a, b", nonce="x"', 'Basic realm="c", Bearer'];

  test('each challenge comes as a line of its own, in order, as it was written; the page too', async () => {
    const { connection, upstream } = await chain({ advertise: ADVERTISED });
    const answer = await connection.exchange(message());
    expect(answer.status).toBe(407);
    expect(negotiationOf(answer.headers)).toEqual(ADVERTISED.map((line) => ['Proxy-Authenticate', line]));
    expect(answer.body.toString()).toBe('The scripted upstream asks for credentials.\n');
    expect(upstream.requests).toHaveLength(1);
  });

  test("the client's credentials go on as they are, on the connection that was asked on", async () => {
    const { connection, upstream } = await chain();
    await connection.exchange(message());
    expect((await connection.exchange(message(own(GOOD)))).status).toBe(granted);
    expect(upstream.requests.map(({ credentials }) => credentials)).toEqual([undefined, GOOD]);
  });

  test.each([['Basic  odd=='], ['bearer abc'], ['Digest username="a\\"b", nc=00000001'], ['=?']])(
    'credentials are not looked into: %s',
    async (line) => {
      const { connection, upstream } = await chain({ accept: () => 'accept' });
      expect((await connection.exchange(message(own(line)))).status).toBe(granted);
      expect(upstream.requests.map(({ credentials }) => credentials)).toEqual([line]);
    },
  );

  test.each([['Proxy-Authorization'], ['keep-alive, proxy-authorization']])(
    'Connection: %s does not take them away',
    async (named) => {
      const { connection, upstream } = await chain();
      const connectionField = `Connection: ${named}${granted === 101 ? ', Upgrade' : ''}`;
      const text = message(own(GOOD)).replace('Connection: Upgrade', connectionField);
      const full = granted === 101 ? text : text.replace('\r\n\r\n', `\r\n${connectionField}\r\n\r\n`);
      expect((await connection.exchange(full)).status).toBe(granted);
      expect(upstream.requests.map(({ credentials }) => credentials)).toEqual([GOOD]);
    },
  );

  test('a 407 may come in any manner, and leaves the connection of the client as it was', async () => {
    const manners: readonly Faults[] = [
      { framing407: 'chunked' },
      { framing407: 'close' },
      { framing407: 'empty' },
      { closeAfter407: 'announced' },
      { version407: '1.0' },
      { framing407: 'chunked', segments: 'bytes' },
    ];
    let turn = 0;
    const { connection } = await chain({ faults: () => manners[turn] ?? {} });
    for (turn = 0; turn < manners.length; turn += 1) {
      const answer = await connection.exchange(message());
      expect([turn, answer.status, fieldOf(answer, 'proxy-authenticate')]).toEqual([
        turn,
        407,
        'Basic realm="scripted"',
      ]);
    }
    expect((await connection.exchange(message(own(GOOD)))).status).toBe(granted);
  });
});

test('what belongs to the negotiation is passed on after it, too', async () => {
  const headers = [
    ['Proxy-authentication-info', 'nextnonce="x"'],
    ['PROXY-SUPPORT', 'Session-Based-Authentication'],
  ] as const;
  const accept = () => ({ status: 200, headers });
  const relayed = await chain({ accept });
  expect(negotiationOf((await relayed.connection.exchange(get())).headers)).toEqual(headers);
  const substituted = await chain({ accept }, { identity: 'substitute' });
  expect(negotiationOf((await substituted.connection.exchange(get())).headers)).toEqual([]);
});

test.each([['substitute'], ['none']] as const)("identity %s removes the client's credentials", async (identity) => {
  const { connection, upstream } = await chain({ accept: () => 'accept' }, { identity });
  await connection.exchange(get('http://origin.test/', own('Basic Ym9iOmI='), 'Connection: Proxy-Authorization'));
  expect(upstream.requests.map(({ credentials }) => credentials)).toEqual([undefined]);
});

test('relay, else substitute: the client has the first word', async () => {
  const { connection, upstream } = await chain({}, { identity: 'relay-else-substitute' });
  expect((await connection.exchange(get())).status).toBe(200);
  const answer = await connection.exchange(get('http://origin.test/', own(basic('bob:b'))));
  expect([answer.status, fieldOf(answer, 'proxy-authenticate')]).toEqual([407, 'Basic realm="scripted"']);
  expect(upstream.requests.map(({ credentials }) => credentials)).toEqual([undefined, GOOD, basic('bob:b')]);
});

test('users do not share a connection, and nobody gets the one of a user', async () => {
  const { downstream, upstream } = await chain({ accept: () => 'accept' });
  const lines = [own(basic('alice:a')), own(basic('bob:b')), own(basic('alice:a')), '', own(basic('bob:b')), ''];
  for (const line of lines) {
    await (await client(downstream.port)).exchange(line === '' ? get() : get('http://origin.test/', line));
  }
  expect(upstream.requests.map(({ connection }) => connection)).toEqual(['s1', 's2', 's1', 's3', 's2', 's3']);
});

describe.each([['NTLM'], ['Negotiate']])('%s, which logs a connection in', (scheme) => {
  /** As a real one: the connection is known after its third message, and whatever comes on it then is let pass. */
  function connectionBound(): ScriptedUpstreamOptions {
    const known = new Set<string>();
    return {
      advertise: [scheme],
      accept: (credentials, { connection }) => {
        if (credentials === `${scheme} dHlwZTE=`) return { challenges: [`${scheme} dHlwZTI=`] };
        if (credentials === `${scheme} dHlwZTM=`) known.add(connection);
        return known.has(connection) ? 'accept' : 'reject';
      },
    };
  }

  const TYPE1 = get('http://origin.test/', own(`${scheme} dHlwZTE=`));
  const TYPE3 = get('http://origin.test/', own(`${scheme} dHlwZTM=`));

  test('goes through on one connection', async () => {
    const { connection, upstream } = await chain(connectionBound());
    expect((await connection.exchange(get())).status).toBe(407);
    const challenged = await connection.exchange(TYPE1);
    expect([challenged.status, fieldOf(challenged, 'proxy-authenticate')]).toEqual([407, `${scheme} dHlwZTI=`]);
    expect((await connection.exchange(TYPE3)).status).toBe(200);
    expect((await connection.exchange(get())).status).toBe(200);
    const [first, ...later] = upstream.requests.map(({ connection: name }) => name);
    expect(new Set(later).size).toBe(1);
    expect(first).not.toBe(later[0]);
  });

  test('goes through for CONNECT', async () => {
    const { connection } = await chain(connectionBound());
    const connectTo = (line?: string): string =>
      request('CONNECT', 'origin.test:443', ...(line === undefined ? [] : [own(`${scheme} ${line}`)]));
    expect((await connection.exchange(connectTo())).status).toBe(407);
    expect((await connection.exchange(connectTo('dHlwZTE='))).status).toBe(407);
    expect((await connection.exchange(connectTo('dHlwZTM='))).status).toBe(200);
    connection.write('hello');
    expect((await connection.readBytes(5)).toString()).toBe('hello');
  });

  test('lets no other client near that connection', async () => {
    const { connection, downstream, upstream } = await chain(connectionBound());
    await connection.exchange(TYPE1);
    await connection.exchange(TYPE3);
    const stranger = await client(downstream.port);
    expect((await stranger.exchange(get())).status).toBe(407);
    expect((await stranger.exchange(TYPE1)).status).toBe(407);
    const names = upstream.requests.map(({ connection: name }) => name);
    expect(names.slice(2)).not.toContain(names[0]);
    expect((await connection.exchange(get())).status).toBe(200);
  });

  test('the connection of a client dies with it', async () => {
    const { connection, upstream } = await chain(connectionBound());
    await connection.exchange(TYPE1);
    await connection.exchange(TYPE3);
    expect(upstream.connections).toBe(1);
    connection.destroy();
    await eventually(() => upstream.connections === 0);
  });

  test('when the upstream closes, the client loses its connection, which it believed to be logged in', async () => {
    const { connection } = await chain({
      ...connectionBound(),
      faults: ({ turn }) => (turn === 3 ? { cut: { at: 'response', by: 'close' } } : {}),
    });
    for (const message of [TYPE1, TYPE3, get()]) await connection.exchange(message);
    expect(await connection.closed()).toBe('end');
  });
});
