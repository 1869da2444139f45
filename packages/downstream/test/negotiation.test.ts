import type { Faults, ScriptedUpstreamOptions } from '@chain407/testkit';
import { recordLegs } from '@chain407/testkit';
import { afterEach, describe, expect, test } from '@jest/globals';
import { rawServer } from './raw-server.ts';
import type { RunOptions } from './support.ts';
import {
  basic,
  cleanUp,
  client,
  closeLater,
  fieldOf,
  GOOD,
  get,
  hanging,
  onlyGood,
  request,
  run,
  scripted,
} from './support.ts';

afterEach(cleanUp);

/** An upstream, a downstream in front of it, and a client's connection. */
async function chain(upstreamOptions: ScriptedUpstreamOptions = {}, options: RunOptions = {}) {
  const upstream = await scripted({ accept: onlyGood, ...upstreamOptions });
  const downstream = await run({ upstreams: [upstream.port], ...options });
  return { upstream, downstream, connection: await client(downstream.port) };
}

const UPGRADE = get('http://origin.test/', 'Connection: Upgrade', 'Upgrade: echo');
const POST = request('POST', 'http://origin.test/', 'Content-Length: 4');

/** Each asks for the same in its own way. */
const WAYS: readonly (readonly [method: string, message: string, status: number])[] = [
  ['GET', get(), 200],
  ['POST', `${POST}body`, 200],
  ['CONNECT', request('CONNECT', 'origin.test:443'), 200],
  ['Upgrade', UPGRADE, 101],
];

describe.each(WAYS)('%s', (_method, message, status) => {
  test('gets the credentials put in: asked once, then answered', async () => {
    const { upstream, connection } = await chain();
    expect((await connection.exchange(message)).status).toBe(status);
    expect(upstream.requests.map(({ credentials }) => credentials)).toEqual([undefined, GOOD]);
    // The one attempt that counts has a connection of its own.
    expect(upstream.requests.map(({ connection: name }) => name)).toEqual(['s1', 's2']);
    expect(upstream.connections).toBe(1);
  });

  test('once they are known to be good, goes with them at once', async () => {
    const { upstream, downstream, connection } = await chain();
    await connection.exchange(get());
    const second = await client(downstream.port);
    expect((await second.exchange(message)).status).toBe(status);
    expect(upstream.requests.slice(2).map(({ credentials }) => credentials)).toEqual([GOOD]);
  });

  test("replaces the client's own", async () => {
    const { upstream, connection } = await chain();
    const own = message.replace('\r\n\r\n', `\r\nproxy-authorization: ${basic('bob:b')}\r\n\r\n`);
    expect((await connection.exchange(own)).status).toBe(status);
    expect(upstream.requests.map(({ headers }) => headers.filter(([name]) => /^proxy-auth/i.test(name)))).toEqual([
      [],
      [['Proxy-Authorization', GOOD]],
    ]);
  });

  test.each<[manner: string, faults: Faults]>([
    ['in chunks', { framing407: 'chunked' }],
    ['with a length', { framing407: 'length' }],
    ['ended by closing', { framing407: 'close' }],
    ['empty', { framing407: 'empty' }],
    ['with its body apart', { segments: 'head-and-body' }],
    ['in chunks, byte by byte', { framing407: 'chunked', segments: 'bytes' }],
    ['announcing that it closes', { closeAfter407: 'announced' }],
    ['announcing that it closes, in the old way', { closeAfter407: 'proxy-connection' }],
    ['in HTTP/1.0', { version407: '1.0' }],
    ['without a word that it closes', { closeAfter407: 'unannounced' }],
  ])('the 407 may come %s', async (_manner, faults) => {
    const { upstream, connection } = await chain({ faults });
    expect((await connection.exchange(message)).status).toBe(status);
    expect(upstream.requests.map(({ credentials }) => credentials)).toEqual([undefined, GOOD]);
  });

  test.each<[how: string, advertise: readonly string[]]>([
    ['one line', ['NTLM, Digest realm="a, b", nonce="x", Basic realm="c", Negotiate']],
    ['many lines', ['Negotiate', 'NTLM TlRMTVNTUAAC==', 'bAsIc REALM="c"', 'Digest realm="a", nonce="x"']],
    ['odd white space', [' , ,Basic   realm = "a \\" quoted" ,']],
    ['a line that cannot be read first', ['Digest realm="open', 'Basic realm="c"']],
  ])('a challenge of ours is found among others on %s', async (_how, advertise) => {
    const { connection } = await chain({ advertise });
    expect((await connection.exchange(message)).status).toBe(status);
  });

  test.each<[what: string, advertise: readonly string[], options: RunOptions]>([
    ['without a challenge', [], {}],
    ['whose challenge cannot be read', ['=?', '"'], {}],
    ['that offers nothing that ours allow', ['NTLM', 'Negotiate', 'Digest realm="a", nonce="x"'], {}],
    ['of an upstream that ours do not name', ['Basic realm="x"'], { mayGoTo: () => false }],
    ['where the identity is none', ['Basic realm="x"'], { identity: 'none' }],
    ['where the upstream has none of ours', ['Basic realm="x"'], { password: undefined }],
  ])('nothing is sent on a 407 %s', async (_what, advertise, options) => {
    const { upstream, connection } = await chain({ advertise }, options);
    const answer = await connection.exchange(message);
    expect(answer.status).toBe(407);
    expect(answer.body.toString()).toContain('up1 asks for credentials');
    expect(fieldOf(answer, 'proxy-authenticate')).toContain('Chain407 downstream');
    expect(upstream.requests.map(({ credentials }) => credentials)).toEqual([undefined]);
    // The client's connection is as it was before.
    expect((await connection.exchange(message)).status).toBe(407);
  });

  test('a 407 without end is left', async () => {
    const { upstream, connection } = await chain({ faults: { framing407: 'endless' } });
    expect((await connection.exchange(message)).status).toBe(status);
    expect(upstream.requests.map(({ connection: name }) => name)).toEqual(['s1', 's2']);
  });
});

test('an upstream that asks nobody is sent nothing', async () => {
  const { upstream, connection } = await chain({ accept: () => 'accept' });
  expect((await connection.exchange(get())).status).toBe(200);
  expect((await connection.exchange(get())).status).toBe(200);
  expect(upstream.requests.map(({ credentials }) => credentials)).toEqual([undefined, undefined]);
  expect(upstream.requests.map(({ connection: name }) => name)).toEqual(['s1', 's1']);
});

test('the connection that has carried the credentials serves the next clients too', async () => {
  const { upstream, downstream, connection } = await chain();
  await connection.exchange(get());
  await connection.exchange(get());
  await (await client(downstream.port)).exchange(get());
  expect(upstream.requests.map(({ connection: name }) => name)).toEqual(['s1', 's2', 's2', 's2']);
});

test('an answer that is no 407 is handed on as it is', async () => {
  const headers = [
    ['X-b', '2'],
    ['x-B', '3'],
    ['Proxy-Authenticate', 'Basic realm="x"'],
    ['Connection', 'X-Hop'],
    ['X-Hop', '1'],
  ] as const;
  const { connection } = await chain({ accept: () => ({ status: 403, headers, body: 'no' }) });
  const answer = await connection.exchange(get());
  expect([answer.status, answer.reason, answer.body.toString()]).toEqual([403, 'Forbidden', 'no']);
  expect(answer.headers.slice(0, 4)).toEqual(['X-b', '2', 'x-B', '3']);
  expect(fieldOf(answer, 'proxy-authenticate')).toBeUndefined();
  expect(fieldOf(answer, 'x-hop')).toBeUndefined();
  expect(fieldOf(answer, 'via')).toMatch(/^1\.1 chain407-downstream-/);
});

test('each leg is written down: which connection, what was sent, what came', async () => {
  const { downstream, connection } = await chain();
  const recorder = recordLegs(({ by }) => by === downstream.pseudonym);
  closeLater(recorder.stop);
  await connection.exchange(get());
  expect(recorder.legs().map(({ from, to, status, credentials }) => [from, to, status, credentials?.scheme])).toEqual([
    ['downstream', 'up1', 407, undefined],
    ['downstream', 'up1', 200, 'Basic'],
    ['client', 'downstream', 200, undefined],
  ]);
  expect(new Set(recorder.legs().map(({ exchange }) => exchange)).size).toBe(1);
  expect(downstream.lines.at(-1)).toMatchObject({
    via: 'up1',
    identity: 'corp',
    legs: ['407 Basic', '200'],
    status: 200,
  });
});

describe('who is asked', () => {
  test('a 407 inside a tunnel belongs to the client: it is not answered', async () => {
    const { upstream, connection } = await chain();
    await connection.exchange(request('CONNECT', 'origin.test:80'));
    const inner = 'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\n\r\n';
    connection.write(inner);
    expect((await connection.readBytes(inner.length)).toString()).toBe(inner);
    expect(upstream.requests).toHaveLength(2);
  });

  test('a 407 of an origin on a direct route becomes 502 without its challenge, and nothing is sent to it', async () => {
    const origin = await scripted({ accept: () => 'reject' });
    const downstream = await run();
    const connection = await client(downstream.port);
    const answer = await connection.exchange(
      get(`http://127.0.0.1:${origin.port}/`, `Proxy-Authorization: ${basic('bob:b')}`),
    );
    expect(answer.status).toBe(502);
    expect(fieldOf(answer, 'proxy-authenticate')).toBeUndefined();
    expect(fieldOf(answer, 'proxy-status')).toContain(`next-hop="127.0.0.1:${origin.port}"`);
    expect(origin.requests.map(({ target, credentials }) => [target, credentials])).toEqual([['/', undefined]]);
  });

  test('a tunnel on a direct route carries what the client says, and no credentials', async () => {
    const origin = await scripted({ accept: () => 'accept' });
    const connection = await client((await run()).port);
    const authority = `127.0.0.1:${origin.port}`;
    const own = `Proxy-Authorization: ${basic('bob:b')}`;
    expect((await connection.exchange(request('CONNECT', authority, own))).status).toBe(200);
    expect((await connection.exchange(get(`http://${authority}/`))).status).toBe(200);
    expect(origin.requests.map(({ method, credentials }) => [method, credentials])).toEqual([['GET', undefined]]);
  });

  test('a route that denies asks nobody', async () => {
    const { upstream, connection } = await chain();
    expect((await connection.exchange(get('http://denied.test/'))).status).toBe(403);
    expect(upstream.requests).toHaveLength(0);
  });

  test('a request that has passed here before goes no further', async () => {
    const { upstream, downstream, connection } = await chain();
    const answer = await connection.exchange(get('http://origin.test/', `Via: 1.1 ${downstream.pseudonym}`));
    expect(answer.status).toBe(502);
    expect(fieldOf(answer, 'proxy-status')).toContain('proxy_loop_detected');
    expect(upstream.requests).toHaveLength(0);
  });

  test.each([
    ['TRACE', 'http://origin.test/', 'Max-Forwards: 0'],
    ['OPTIONS', 'http://origin.test/', 'Max-Forwards: 0'],
  ])('%s at its last hop is answered here, and written down', async (method, target, field) => {
    const { upstream, downstream, connection } = await chain();
    const own = `Proxy-Authorization: ${basic('bob:b')}`;
    const answer = await connection.exchange(request(method, target, field, own));
    expect(answer.status).toBe(200);
    expect(answer.body.toString()).not.toContain('Basic');
    expect(upstream.requests).toHaveLength(0);
    expect(downstream.lines.at(-1)).toMatchObject({ method, status: 200 });
  });

  test('TRACE counts down on its way', async () => {
    const { upstream, connection } = await chain();
    await connection.exchange(request('TRACE', 'http://origin.test/', 'max-forwards: 2'));
    expect(upstream.requests.at(-1)?.headers).toContainEqual(['max-forwards', '1']);
  });
});

describe('a connection that the upstream has closed meanwhile', () => {
  /** The second request on a connection finds it closed; a third that comes on another does not. */
  async function stale(message: string) {
    const faults = ({ connection, turn }: { connection: string; turn: number }): Faults =>
      connection === 's1' && turn === 2 ? { cut: { at: 'request', by: 'close' } } : {};
    const { upstream, connection } = await chain({ accept: () => 'accept', faults });
    await connection.exchange(get());
    const { status } = await connection.exchange(message);
    return { status, connections: upstream.requests.map(({ connection: name }) => name) };
  }

  test.each(WAYS.filter(([method]) => method !== 'POST'))(
    'is replaced once for %s',
    async (_method, message, status) => {
      expect(await stale(message)).toEqual({ status, connections: ['s1', 's1', 's2'] });
    },
  );

  test('PUT with a body is sent again whole', async () => {
    expect(await stale(`${POST.replace('POST', 'PUT')}body`)).toEqual({ status: 200, connections: ['s1', 's1', 's2'] });
  });

  test('POST may have been done: it is never sent twice', async () => {
    expect(await stale(`${POST}body`)).toEqual({ status: 502, connections: ['s1', 's1'] });
  });

  test('a new one is not replaced', async () => {
    const { upstream, connection } = await chain({ faults: { cut: { at: 'request', by: 'close' } } });
    const answer = await connection.exchange(get());
    expect(answer.status).toBe(502);
    expect(fieldOf(answer, 'proxy-status')).toContain('connection_terminated; next-hop="up1"');
    expect(upstream.requests).toHaveLength(1);
  });
});

describe('when an upstream fails', () => {
  const closedPort = async (): Promise<number> => {
    const upstream = await scripted();
    const { port } = upstream;
    await upstream.close();
    return port;
  };

  test('the next one on the route is asked, and comes first from then on', async () => {
    const [dead, alive] = [await closedPort(), await scripted()];
    const downstream = await run({ upstreams: [dead, alive.port] });
    const connection = await client(downstream.port);
    expect((await connection.exchange(get())).status).toBe(200);
    expect((await connection.exchange(get())).status).toBe(200);
    expect(downstream.lines.map(({ via, legs }) => [via, legs])).toEqual([
      ['up2', ['407 Basic', '200']],
      ['up2', ['200']],
    ]);
  });

  test('an origin of the same name that cannot be reached is none of its business', async () => {
    const [first, second] = [await scripted(), await scripted()];
    const limits = { connectTimeout: 50 };
    const connection = await client((await run({ upstreams: [first.port, second.port], limits })).port);
    expect((await connection.exchange(get('http://up1/'))).status).toBeGreaterThanOrEqual(502);
    expect((await connection.exchange(get())).status).toBe(200);
    expect(second.requests).toHaveLength(0);
  });

  test('a body goes to the next one whole', async () => {
    const alive = await scripted();
    const connection = await client((await run({ upstreams: [await closedPort(), alive.port] })).port);
    await connection.exchange(`${POST}body`);
    expect(alive.requests.map(({ body }) => body.toString())).toEqual(['body', 'body']);
  });

  test.each<[what: string, options: ScriptedUpstreamOptions, status: number]>([
    ['a 407', { accept: () => 'reject' }, 407],
    ['a 403', { accept: () => ({ status: 403 }) }, 403],
    ['a 503', { accept: () => ({ status: 503 }) }, 503],
    ['a connection that breaks off', { faults: { cut: { at: 'request' } } }, 502],
  ])('%s is no failure to reach it: the next one is not asked', async (_what, options, status) => {
    const [first, second] = [await scripted(options), await scripted()];
    const connection = await client((await run({ upstreams: [first.port, second.port] })).port);
    expect((await connection.exchange(get())).status).toBe(status);
    expect(second.requests).toHaveLength(0);
  });

  test.each<[what: string, status: number, error: string, port: () => Promise<number>]>([
    ['refuses', 502, 'connection_refused', closedPort],
    ['does not take the connection', 504, 'connection_timeout', hanging],
    ['does not answer', 504, 'http_response_timeout', () => rawServer((socket) => socket.resume())],
    ['closes', 502, 'connection_terminated', () => rawServer((socket) => socket.once('data', () => socket.end()))],
    ['speaks something else', 502, 'http_protocol_error', () => rawServer((socket) => socket.end('SSH-2.0\r\n\r\n'))],
  ])('one that %s: %i, %s, with its name', async (_what, status, error, port) => {
    const limits = { connectTimeout: 50, responseTimeout: 50 };
    const connection = await client((await run({ upstreams: [await port()], limits })).port);
    for (const message of [get(), request('CONNECT', 'origin.test:443'), UPGRADE]) {
      const answer = await connection.exchange(message);
      expect(answer.status).toBe(status);
      expect(fieldOf(answer, 'proxy-status')).toMatch(
        `chain407-downstream; error=${error}; next-hop="up1"; details="up1: `,
      );
    }
  });
});

describe('an upstream that never has enough', () => {
  test('is left after one complete attempt', async () => {
    const { upstream, connection } = await chain({ accept: () => 'reject' });
    expect((await connection.exchange(get())).status).toBe(407);
    expect(upstream.requests).toHaveLength(2);
  });
});
