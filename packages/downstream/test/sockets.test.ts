import { valuesOf } from '@chain407/core';
import type { ExchangePoint, Faults, ScriptedRequest, ScriptedUpstreamOptions } from '@chain407/testkit';
import { afterEach, describe, expect, test } from '@jest/globals';
import { rawServer } from './raw-server.ts';
import type { RunOptions } from './support.ts';
import {
  cleanUp,
  client,
  closeLater,
  eventually,
  GOOD,
  gate,
  get,
  hanging,
  onlyGood,
  post,
  request,
  run,
  scripted,
} from './support.ts';

afterEach(cleanUp);

async function chain(upstreamOptions: ScriptedUpstreamOptions = {}, options: RunOptions = {}) {
  const upstream = await scripted({ accept: onlyGood, ...upstreamOptions });
  const downstream = await run({ upstreams: [upstream.port], ...options });
  const connection = await client(downstream.port);
  /** Nobody has a socket but those that wait for the next request. */
  const freed = async (): Promise<void> => {
    await eventually(() => downstream.connections === 0);
    await eventually(() => upstream.connections === downstream.pool.size);
  };
  const worksAgain = async (): Promise<void> => {
    expect((await (await client(downstream.port)).exchange(get('http://origin.test/next'))).status).toBe(200);
  };
  return { upstream, downstream, connection, freed, worksAgain };
}

/** Stands still at a point until `open`; only then does the scripted upstream see that its peer has closed. */
function holding(at: ExchangePoint, applies: (request: ScriptedRequest) => boolean) {
  const { opened, open } = gate();
  closeLater(open);
  const faults = (request: ScriptedRequest): Faults => (applies(request) ? { hold: { at, until: () => opened } } : {});
  return { faults, open };
}

const isNext = ({ target }: ScriptedRequest): boolean => target.endsWith('/next');

const HELD = 'http://origin.test/held';
const UPGRADE = get(HELD, 'Connection: Upgrade', 'Upgrade: echo');
const WAYS: readonly (readonly [method: string, message: string])[] = [
  ['GET', get(HELD)],
  ['POST', post('body')],
  ['CONNECT', request('CONNECT', 'origin.test:443')],
  ['Upgrade', UPGRADE],
];

describe.each(WAYS)('the client of %s goes', (_method, message) => {
  test('while the upstream is being connected', async () => {
    const downstream = await run({ upstreams: [await hanging()] });
    const connection = (await client(downstream.port)).write(message);
    await eventually(() => downstream.connections === 1);
    connection.destroy();
    await eventually(() => downstream.lines.length === 1);
    expect(downstream.lines[0]).toMatchObject({ msg: 'client gone', legs: [] });
    expect(downstream.connections).toBe(0);
  });

  test.each<[at: ExchangePoint]>([['request-head'], ['request'], ['response-head'], ['response-body']])(
    'while the upstream stands still at the %s',
    async (at) => {
      const { faults, open } = holding(at, (each) => !isNext(each));
      const { upstream, downstream, connection, freed, worksAgain } = await chain({ faults });
      connection.write(message);
      await eventually(() => upstream.requests.length === 1);
      connection.destroy();
      await eventually(() => downstream.connections === 0);
      open();
      await freed();
      expect(upstream.connections).toBe(0);
      await eventually(() => downstream.lines.length === 1);
      await worksAgain();
    },
  );

  test('while the attempt that counts is under way: it says nothing of the password', async () => {
    const { faults, open } = holding('request', (each) => each.credentials === GOOD && !isNext(each));
    const { upstream, downstream, connection, freed, worksAgain } = await chain({ faults });
    connection.write(message);
    await eventually(() => upstream.requests.length === 2);
    connection.destroy();
    await eventually(() => downstream.lines.length === 1);
    open();
    await freed();
    expect(downstream.credential?.guard.state).toEqual({ phase: 'unproven', failures: 0 });
    await worksAgain();
  });

  test("while it waits for another's attempt", async () => {
    const { faults, open } = holding('request', ({ credentials }) => credentials === GOOD);
    const { upstream, downstream, connection, freed } = await chain({ faults });
    const probe = await client(downstream.port);
    const answer = probe.exchange(get('http://origin.test/next'));
    await eventually(() => upstream.requests.length === 2);
    connection.write(message);
    await eventually(() => upstream.requests.length === 3);
    connection.destroy();
    await eventually(() => downstream.connections === 1 && upstream.connections === 1);
    open();
    expect((await answer).status).toBe(200);
    await eventually(() => downstream.lines.length === 2);
    probe.destroy();
    await freed();
    expect(upstream.requests).toHaveLength(3);
  });
});

describe('the client goes', () => {
  const ENDLESS = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n';

  test('in the middle of an upload', async () => {
    const { upstream, connection, freed } = await chain({}, { identity: 'none' });
    connection.write(post('x'.repeat(1000)).slice(0, -500));
    await eventually(() => upstream.requests[0]?.body.length === 500);
    connection.destroy();
    await freed();
    expect(upstream.connections).toBe(0);
    expect(upstream.requests[0]?.complete).toBe(false);
  });

  test('in the middle of a body that is waited for before the next leg', async () => {
    const { faults, open } = holding('response-body', () => true);
    const { upstream, downstream, connection, freed } = await chain({ faults });
    connection.write(get());
    await eventually(() => upstream.requests.length === 1);
    connection.destroy();
    await eventually(() => downstream.lines.length === 1);
    open();
    await freed();
    expect(upstream.requests).toHaveLength(1);
  });

  test.each([
    ['and takes nothing', false],
    ['which it takes', true],
  ])('in the middle of a download %s', async (_what, takes) => {
    let open = 0;
    const port = await rawServer((socket) => {
      open += 1;
      socket.once('close', () => {
        open -= 1;
      });
      const more = (): void => {
        while (!socket.destroyed && socket.write(`4000\r\n${'x'.repeat(0x4000)}\r\n`));
      };
      socket.once('data', () => socket.write(ENDLESS));
      socket.once('data', more).on('drain', more);
    });
    const downstream = await run({ upstreams: [port], identity: 'none' });
    const connection = (await client(downstream.port)).write(get());
    await connection.readUntil('\r\n\r\n');
    if (!takes) connection.socket.pause();
    connection.destroy();
    await eventually(() => downstream.connections === 0 && open === 0);
    await eventually(() => downstream.lines.length === 1);
    expect(downstream.pool.size).toBe(0);
  });

  test.each([
    ['closing', (connection: Awaited<ReturnType<typeof client>>) => connection.destroy()],
    ['by a reset', (connection: Awaited<ReturnType<typeof client>>) => connection.socket.resetAndDestroy()],
  ])('in a tunnel, %s', async (_how, go) => {
    const { upstream, downstream, connection, worksAgain } = await chain();
    await connection.exchange(request('CONNECT', 'origin.test:443'));
    connection.write('hello');
    await connection.readBytes(5);
    go(connection);
    await eventually(() => downstream.connections === 0 && upstream.connections === 0);
    await eventually(() => downstream.lines.length === 1);
    expect(downstream.lines[0]).toMatchObject({ sent: 5, received: 5 });
    await worksAgain();
  });

  test('having closed its direction of a tunnel only, gets the rest', async () => {
    const { upstream, downstream, connection } = await chain();
    await connection.exchange(request('CONNECT', 'origin.test:443'));
    connection.write('hello').end();
    expect((await connection.readRest()).toString()).toBe('hello');
    await eventually(() => downstream.connections === 0 && upstream.connections === 0);
    expect(downstream.lines[0]).toMatchObject({ end: 'closed' });
  });

  test('while a tunnel on a direct route is being made', async () => {
    const downstream = await run();
    const connection = (await client(downstream.port)).write(request('CONNECT', `127.0.0.1:${await hanging()}`));
    await eventually(() => downstream.connections === 1);
    connection.destroy();
    await eventually(() => downstream.lines.length === 1);
    expect(downstream.connections).toBe(0);
  });
});

describe.each(WAYS)('the upstream of %s goes', (method, message) => {
  const tunnels = method === 'CONNECT' || method === 'Upgrade';

  test.each<[at: ExchangePoint, by: 'reset' | 'close']>([
    ['request-head', 'close'],
    ['request-head', 'reset'],
    ['request', 'close'],
    ['request', 'reset'],
    ['response-head', 'close'],
    ['response-head', 'reset'],
    ['response-body', 'close'],
    ['response-body', 'reset'],
  ])('after the %s, by a %s: 502 or a cut, never a response that looks whole', async (at, by) => {
    const { downstream, connection, freed, worksAgain } = await chain({
      accept: () => 'accept',
      faults: ({ target }) => (target.endsWith('/next') ? {} : { cut: { at, by } }),
    });
    const answer = await connection.exchange(message).then(
      ({ status }) => status,
      () => 'cut',
    );
    const after = at === 'response-body';
    expect([502, ...(after ? ['cut'] : []), ...(after && tunnels ? [200, 101] : [])]).toContain(answer);
    connection.destroy();
    await freed();
    await eventually(() => downstream.lines.length === 1);
    await worksAgain();
  });

  test('in the middle of the 407', async () => {
    const { connection, freed, worksAgain } = await chain({
      faults: ({ target }) => (target.endsWith('/next') ? {} : { cut: { at: 'response-body', by: 'close' } }),
    });
    await connection.exchange(message).catch(() => undefined);
    connection.destroy();
    await freed();
    await worksAgain();
  });
});

test('the upstream goes in the middle of an upload that it does not read', async () => {
  let taken = 0;
  const port = await rawServer((socket) => {
    taken += 1;
    socket.once('data', () => socket.resetAndDestroy());
  });
  const downstream = await run({ upstreams: [port], identity: 'none' });
  const connection = await client(downstream.port);
  const answer = await connection.exchange(post('x'.repeat(4 * 1024 * 1024)));
  expect([answer.status, taken]).toEqual([502, 1]);
  // The rest is more than is worth reading.
  expect(valuesOf(answer.headers, 'connection')).toEqual(['close']);
  await connection.closed();
  expect((await (await client(downstream.port)).exchange(get())).status).toBe(502);
});

test('the upstream goes in a tunnel', async () => {
  const { opened, open } = gate();
  const port = await rawServer((socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\nhello'));
    void opened.then(() => socket.resetAndDestroy());
  });
  const downstream = await run({ upstreams: [port] });
  const connection = await client(downstream.port);
  await connection.exchange(request('CONNECT', 'origin.test:443'));
  expect((await connection.readBytes(5)).toString()).toBe('hello');
  open();
  await connection.closed();
  await eventually(() => downstream.connections === 0);
  expect(downstream.lines[0]).toMatchObject({ end: 'error', received: 5 });
});

describe('bytes that come early', () => {
  test('with the CONNECT, and with the answer to it, are part of the tunnel', async () => {
    const { connection } = await chain({ faults: { greeting: 'welcome' } });
    const answer = await connection.exchange(`${request('CONNECT', 'origin.test:443')}early`);
    expect(answer.status).toBe(200);
    expect((await connection.readBytes(12)).toString()).toBe('welcomeearly');
  });

  test('pipelined behind a refused CONNECT are the next request', async () => {
    const { connection } = await chain({}, { identity: 'none' });
    connection.write(`${request('CONNECT', 'origin.test:443')}${get('http://denied.test/')}`);
    expect((await connection.readResponse({ method: 'CONNECT' })).status).toBe(407);
    expect((await connection.readResponse()).status).toBe(403);
  });

  test('pipelined requests are answered in their order', async () => {
    const { connection } = await chain();
    connection.write(['a', 'b', 'c'].map((name) => get(`http://origin.test/${name}`)).join(''));
    for (const name of ['a', 'b', 'c']) {
      const { body } = await connection.readResponse();
      expect(JSON.parse(body.toString()).target).toBe(`http://origin.test/${name}`);
    }
  });
});

describe('shutting down', () => {
  test('close lets what is under way finish, and keeps nothing', async () => {
    const { opened, open } = gate();
    const { upstream, downstream, connection } = await chain({
      accept: () => 'accept',
      faults: { hold: { at: 'request', until: () => opened } },
    });
    const answer = connection.exchange(get());
    await eventually(() => upstream.requests.length === 1);
    const closed = downstream.close();
    open();
    expect((await answer).status).toBe(200);
    await closed;
    await eventually(() => upstream.connections === 0);
    expect(downstream.connections).toBe(0);
  });

  test('kill cuts it', async () => {
    const { faults, open } = holding('request', () => true);
    const { upstream, downstream, connection } = await chain({ faults });
    connection.write(get());
    await eventually(() => upstream.requests.length === 1);
    await downstream.kill();
    await connection.closed();
    open();
    await eventually(() => upstream.connections === 0);
  });
});
