import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { Faults, ScriptedUpstreamOptions } from '@chain407/testkit';
import { afterEach, describe, expect, test } from '@jest/globals';
import { rawServer } from './raw-server.ts';
import type { RunOptions } from './support.ts';
import {
  cleanUp,
  client,
  eventually,
  fieldOf,
  GOOD,
  get,
  onlyGood,
  post,
  postChunked,
  request,
  run,
  scripted,
} from './support.ts';

afterEach(cleanUp);

const KEPT = 1024;

async function chain(upstreamOptions: ScriptedUpstreamOptions = {}, options: RunOptions = {}) {
  const upstream = await scripted({ accept: onlyGood, ...upstreamOptions });
  const downstream = await run({ upstreams: [upstream.port], replayBody: KEPT, ...options });
  const connection = await client(downstream.port);
  /** Method, whether with credentials, and the body of each request that arrived. */
  const seen = () =>
    upstream.requests.map(({ method, credentials, body }) => [
      method,
      credentials === GOOD ? 'ours' : (credentials ?? 'none'),
      body.toString('latin1'),
    ]);
  return { upstream, downstream, connection, seen };
}

/** Every byte differs from its neighbours: what is lost or doubled shows. */
const text = (size: number): string => Array.from({ length: size }, (_, i) => String.fromCharCode(i % 251)).join('');
const SMALL = text(KEPT);
const LARGE = text(256 * 1024);

describe('a body', () => {
  test('up to the limit is sent again, byte for byte', async () => {
    const { connection, seen } = await chain();
    expect((await connection.exchange(post(SMALL))).status).toBe(200);
    expect(seen()).toEqual([
      ['POST', 'none', SMALL],
      ['POST', 'ours', SMALL],
    ]);
  });

  test.each([
    ['with a length beyond the limit', post(LARGE), LARGE],
    ['with a length one beyond the limit', post(text(KEPT + 1)), text(KEPT + 1)],
    ['in chunks', postChunked(LARGE), LARGE],
    ['in chunks, who knows how long', postChunked('x'), 'x'],
  ])('%s waits until HEAD has found out what is asked, and goes once', async (_what, message, body) => {
    const { connection, seen } = await chain();
    expect((await connection.exchange(message)).status).toBe(200);
    expect(seen()).toEqual([
      ['HEAD', 'none', ''],
      ['HEAD', 'ours', ''],
      ['POST', 'ours', body],
    ]);
  });

  test.each([
    ['with a length', () => post(SMALL)],
    ['in chunks', () => postChunked('x')],
  ])('%s, for which there is no room beside the others, waits as one beyond the limit does', async (_how, message) => {
    const { upstream, downstream, seen } = await chain({}, { replayMemory: KEPT });
    const slow = await client(downstream.port);
    // Holds all the memory that there is until its body has come whole.
    slow.write(post(SMALL).slice(0, -1));
    await eventually(() => upstream.requests.length > 0);
    expect(downstream.replayMemory.used).toBe(KEPT);
    const body = message();
    expect((await (await client(downstream.port)).exchange(body)).status).toBe(200);
    expect(seen().filter(([method]) => method === 'HEAD')).toHaveLength(2);
    expect((await slow.exchange(SMALL.slice(-1))).status).toBe(200);
    await eventually(() => downstream.replayMemory.used === 0);
  });

  test('the question before a body says nothing of the body', async () => {
    const { upstream, connection } = await chain();
    await connection.exchange(post(LARGE, 'Content-Type: text/plain', 'X: 1'));
    const [question, , upload] = upstream.requests.map(({ headers }) => headers.map(([name]) => name.toLowerCase()));
    expect(question).toEqual(['host', 'x', 'via']);
    expect(upload).toEqual(['host', 'content-length', 'content-type', 'x', 'via', 'proxy-authorization']);
  });

  test('goes at once where the credentials are known to be good', async () => {
    const { connection, seen } = await chain();
    await connection.exchange(get());
    await connection.exchange(post(LARGE));
    await connection.exchange(postChunked(LARGE));
    expect(seen().slice(2)).toEqual([
      ['POST', 'ours', LARGE],
      ['POST', 'ours', LARGE],
    ]);
  });

  test('goes at once, and streams, where nothing of ours is to be put in', async () => {
    const { upstream, connection, seen } = await chain({ accept: () => 'accept' }, { identity: 'relay' });
    connection.write(request('POST', 'http://origin.test/', 'Transfer-Encoding: chunked')).write('5\r\nfirst\r\n');
    // It is there before the client has sent the rest.
    await eventually(() => upstream.requests[0]?.body.toString() === 'first');
    connection.write('6\r\nsecond\r\n0\r\n\r\n');
    expect((await connection.readResponse({ method: 'POST' })).status).toBe(200);
    expect(seen()).toEqual([['POST', 'none', 'firstsecond']]);
  });

  test('is taken after Expect: 100-continue', async () => {
    const { connection, seen } = await chain();
    connection.write(request('POST', 'http://origin.test/', 'Content-Length: 4', 'Expect: 100-continue'));
    await connection.readUntil('HTTP/1.1 100 Continue\r\n\r\n');
    expect((await connection.exchange('body')).status).toBe(200);
    expect(seen().at(-1)).toEqual(['POST', 'ours', 'body']);
  });

  test('keeps its trailers', async () => {
    const upload = postChunked('body', 2, ['X-Sum: 1']);
    const received: string[] = [];
    const port = await rawServer((socket) => {
      socket.on('data', (bytes) => {
        received.push(bytes.toString('latin1'));
        if (received.join('').endsWith('X-Sum: 1\r\n\r\n')) socket.write('HTTP/1.1 204 No Content\r\n\r\n');
      });
    });
    const connection = await client((await run({ upstreams: [port], identity: 'none' })).port);
    expect((await connection.exchange(upload)).status).toBe(204);
    expect(received.join('')).toMatch(/\r\n0\r\nX-Sum: 1\r\n\r\n$/);
  });
});

describe('a 407 in the middle of an upload', () => {
  test.each<[how: string, faults: Faults]>([
    ['goes on reading', { early407: 'read-on' }],
    ['closes', { early407: 'close' }],
  ])('of an upstream that %s does no harm: the body is sent once more, whole', async (_how, faults) => {
    const { connection, seen } = await chain({ faults }, { replayBody: LARGE.length });
    expect((await connection.exchange(post(LARGE))).status).toBe(200);
    expect(seen().at(-1)).toEqual(['POST', 'ours', LARGE]);
    expect((await connection.exchange(get())).status).toBe(200);
  });

  test('before the client has sent all: what comes later goes to the second try', async () => {
    const { upstream, connection } = await chain({ faults: { early407: 'read-on' } }, { replayBody: LARGE.length });
    const [first, second] = [LARGE.slice(0, 1000), LARGE.slice(1000)];
    connection.write(post(LARGE).slice(0, -second.length));
    await eventually(() => upstream.requests[1]?.body.toString('latin1') === first);
    connection.write(second);
    expect((await connection.readResponse({ method: 'POST' })).status).toBe(200);
    expect(upstream.requests[1]?.body.toString('latin1')).toBe(LARGE);
    expect((await connection.exchange(get())).status).toBe(200);
  });

  /** HEAD is let pass; the body is asked about after all. */
  const onlyPost: ScriptedUpstreamOptions['accept'] = (credentials, { method }) =>
    method === 'HEAD' || credentials === GOOD ? 'accept' : 'reject';

  test.each<[how: string, faults: Faults]>([
    ['has read all of it', {}],
    ['goes on reading', { early407: 'read-on' }],
    ['closes', { early407: 'close' }],
  ])(
    'that cannot be sent again, of an upstream that %s: said so, never cut short, and the next try works',
    async (_how, faults) => {
      const { connection, seen } = await chain({ accept: onlyPost, faults });
      const answer = await connection.exchange(post(LARGE));
      expect(answer.status).toBe(502);
      expect(fieldOf(answer, 'proxy-status')).toContain('ERR_BODY_NOT_REPLAYABLE');
      expect(seen().filter(([method, credentials]) => method === 'POST' && credentials === 'ours')).toEqual([]);
      // Whatever of the body was still to come is not the next request.
      expect((await connection.exchange(get())).status).toBe(200);
      expect((await connection.exchange(post(LARGE))).status).toBe(200);
      expect(seen().at(-1)).toEqual(['POST', 'ours', LARGE]);
    },
  );

  test('without our credentials goes to the client, whose next request is right', async () => {
    const { upstream, connection } = await chain({ faults: { early407: 'read-on' } }, { identity: 'relay' });
    const answer = await connection.exchange(post(LARGE));
    expect([answer.status, fieldOf(answer, 'proxy-authenticate')]).toEqual([407, 'Basic realm="scripted"']);
    expect((await connection.exchange(get('http://origin.test/', `Proxy-Authorization: ${GOOD}`))).status).toBe(200);
    expect(upstream.requests.map(({ method }) => method)).toEqual(['POST', 'GET']);
  });
});

test('an answer before the upload has ended reaches the client, and the rest of the upload is dropped', async () => {
  const { connection } = await chain({
    accept: () => ({ status: 413, body: 'too large' }),
    faults: { early407: 'close' },
  });
  const answer = await connection.exchange(post(LARGE));
  expect([answer.status, answer.body.toString()]).toEqual([413, 'too large']);
  expect((await connection.exchange(get())).status).toBe(413);
});

test('an upload waits while the upstream takes nothing', async () => {
  const body = LARGE.repeat(128);
  let received = 0;
  let peer: Socket | undefined;
  const port = await rawServer((socket) => {
    peer = socket;
    socket.once('data', () => socket.pause());
    socket.on('data', (bytes) => {
      received += bytes.length;
      if (received > body.length) socket.write('HTTP/1.1 204 No Content\r\n\r\n');
    });
  });
  const connection = await client((await run({ upstreams: [port], identity: 'none' })).port);
  connection.write(post(body));
  await eventually(() => received > 0);
  for (let i = 0; i < 300; i += 1) await setImmediate();
  // All buffers on the way are full, and none of them grows.
  expect(connection.socket.writableLength).toBeGreaterThan(0);
  peer?.resume();
  expect((await connection.readResponse({ method: 'POST' })).status).toBe(204);
});

test('an upload that the client stops is its own fault, also in the log', async () => {
  const upstream = await scripted({ accept: onlyGood });
  const limits = { responseTimeout: 50 };
  const downstream = await run({ upstreams: [upstream.port], identity: 'none', limits });
  const connection = await client(downstream.port);
  connection.write(post(SMALL).slice(0, -1));
  const { status } = await connection.readResponse({ method: 'POST' });
  await eventually(() => downstream.lines.some(({ msg }) => msg === 'exchange'));
  const line = downstream.lines.find(({ msg }) => msg === 'exchange');
  const code = 'ERR_CLIENT_BODY_TIMEOUT';
  expect([status, line]).toEqual([408, expect.objectContaining({ status: 408, error: code, legs: [code] })]);
});
