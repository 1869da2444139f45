import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Cancellation } from '../src/hop/cancellation.ts';
import { HOP_CODES, HopError } from '../src/hop/hop-error.ts';
import type { OutboundBody, OutboundRequest } from '../src/hop/outbound-request.ts';
import { UpstreamConnection } from '../src/hop/upstream-connection.ts';
import type { Pair } from './raw-server.ts';
import { connected, OPTIONS, rawServer } from './raw-server.ts';
import { cleanUp, eventually, hanging } from './support.ts';

afterEach(cleanUp);

const HEAD = 'GET http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\n\r\n';
const outbound = (method = 'GET', body?: OutboundBody): OutboundRequest => ({
  context: { method, upgrade: false },
  head: HEAD.replace('GET', method),
  body,
});

interface Whole {
  readonly status: number;
  readonly body: string;
  readonly trailers: readonly string[];
}

/** Reads a body to its end; rejects with the error of the connection. */
function bodyOf(connection: UpstreamConnection): Promise<Omit<Whole, 'status'>> {
  return new Promise((resolve, reject) => {
    let body = '';
    connection.consume({
      data: (bytes) => {
        body += bytes.toString('latin1');
        return true;
      },
      end: (trailers) => resolve({ body, trailers }),
      fail: reject,
    });
  });
}

async function exchange(connection: UpstreamConnection, method?: string): Promise<Whole> {
  const { status } = await connection.send(outbound(method));
  return { status, ...(await bodyOf(connection)) };
}

/** The peer answers each request head with these bytes. */
function answers({ peer }: Pair, ...responses: readonly string[]): void {
  let turn = 0;
  peer.on('data', (bytes) => {
    if (!bytes.toString('latin1').endsWith('\r\n\r\n')) return;
    peer.write(responses[Math.min(turn, responses.length - 1)] ?? '', 'latin1');
    turn += 1;
  });
}

/** The error that a promise ends with. */
const failure = async (promise: Promise<unknown>): Promise<Pick<HopError, 'phase' | 'code' | 'unanswered'>> => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof HopError)) throw error ?? new Error('it did not fail');
  const { phase, code, unanswered } = error;
  return { phase, code, unanswered };
};

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=1\r\nhe\r\n3\r\nllo\r\n0\r\nX-Sum: 1\r\n\r\n';

describe('a response', () => {
  test.each([
    ['with a length', 'GET', OK, { status: 200, body: 'hello', trailers: [] }],
    ['in chunks', 'GET', CHUNKED, { status: 200, body: 'hello', trailers: ['X-Sum', '1'] }],
    ['to HEAD', 'HEAD', OK.slice(0, -5), { status: 200, body: '', trailers: [] }],
    ['without a body', 'GET', 'HTTP/1.1 204 No Content\r\n\r\n', { status: 204, body: '', trailers: [] }],
    [
      'after others',
      'GET',
      `HTTP/1.1 103 Early Hints\r\nX: 1\r\n\r\n${OK}`,
      { status: 200, body: 'hello', trailers: [] },
    ],
  ])('%s is read whole and leaves the connection fit for the next', async (_what, method, response, whole) => {
    const pair = await connected();
    answers(pair, response, OK);
    expect(await exchange(pair.connection, method)).toEqual(whole);
    expect(pair.connection.reusable).toBe(true);
    expect(pair.connection.used).toBe(true);
    expect(await exchange(pair.connection)).toEqual({ status: 200, body: 'hello', trailers: [] });
  });

  test.each([
    ['with a length', OK],
    ['in chunks', CHUNKED],
  ])('%s may come byte by byte', async (_what, response) => {
    const { connection, peer } = await connected();
    peer.on('data', async () => {
      for (const byte of response) {
        peer.write(byte, 'latin1');
        await setImmediate();
      }
    });
    expect((await exchange(connection)).body).toBe('hello');
    expect(connection.reusable).toBe(true);
  });

  test.each([
    ['without a length', 'HTTP/1.1 200 OK\r\n\r\nhello'],
    ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello'],
    ['that says so', OK.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')],
    ['that says so in the old way', OK.replace('\r\n\r\n', '\r\nProxy-Connection: close\r\n\r\n')],
  ])('%s ends with its connection', async (_what, response) => {
    const { connection, peer } = await connected();
    peer.once('data', () => peer.end(response));
    expect((await exchange(connection)).body).toBe('hello');
    expect(connection.reusable).toBe(false);
    await once(peer, 'close');
  });

  test('with bytes behind it leaves the connection unfit: they would be the next response', async () => {
    const pair = await connected();
    answers(pair, `${OK}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`);
    expect((await exchange(pair.connection)).body).toBe('hello');
    expect(pair.connection.reusable).toBe(false);
    await once(pair.peer, 'end');
  });

  test('that comes unasked ends the connection', async () => {
    const pair = await connected();
    answers(pair, OK);
    await exchange(pair.connection);
    pair.peer.write(OK);
    await once(pair.peer, 'end');
    expect(pair.connection.reusable).toBe(false);
  });

  test.each([
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello'],
    ['a head without end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(OPTIONS.headerSize)}`, HOP_CODES.headTooLarge],
    ['more fields than the limit', `HTTP/1.1 200 OK\r\n${'X: 1\r\n'.repeat(101)}\r\n`, HOP_CODES.headTooLarge],
  ])('that makes no sense is an error: %s', async (_what, response, code: string = HOP_CODES.malformed) => {
    const pair = await connected();
    answers(pair, response);
    expect(await failure(exchange(pair.connection))).toEqual({
      phase: 'exchange',
      code,
      unanswered: false,
    });
    await once(pair.peer, 'end');
  });

  test('whose chunks make no sense breaks off', async () => {
    const pair = await connected();
    answers(pair, CHUNKED.replace('3\r\n', 'z\r\n'));
    expect((await failure(exchange(pair.connection))).code).toBe(HOP_CODES.malformed);
  });
});

describe('a connection that closes', () => {
  test.each<[when: string, act: (peer: Socket) => void, unanswered: boolean]>([
    ['before a byte of the response', (peer) => peer.end(), true],
    ['by a reset before a byte of the response', (peer) => peer.resetAndDestroy(), true],
    ['in the middle of the head', (peer) => peer.end('HTTP/1.1 200 OK\r\nX'), false],
    ['in the middle of the body', (peer) => peer.end(OK.slice(0, -1)), false],
    ['in the middle of a chunk', (peer) => peer.end(CHUNKED.slice(0, -20)), false],
    [
      'by a reset in the middle of the body',
      (peer) => peer.write(OK.slice(0, -1), () => peer.resetAndDestroy()),
      false,
    ],
  ])('%s', async (_when, act, unanswered) => {
    const { connection, peer } = await connected();
    peer.once('data', () => act(peer));
    expect(await failure(exchange(connection))).toEqual({ phase: 'exchange', code: HOP_CODES.closed, unanswered });
    expect(connection.reusable).toBe(false);
  });

  test('takes no further request', async () => {
    const { connection, peer } = await connected();
    connection.destroy();
    await once(peer.resume(), 'end');
    expect((await failure(connection.send(outbound()))).unanswered).toBe(true);
  });

  test('has no second request while one is under way', async () => {
    const { connection } = await connected();
    void connection.send(outbound()).catch(() => undefined);
    expect((await failure(connection.send(outbound()))).code).toBe(HOP_CODES.closed);
  });
});

describe('a limit', () => {
  test('of connecting is kept with a peer that neither takes nor refuses', async () => {
    const port = await hanging();
    const connecting = UpstreamConnection.connect({ ...OPTIONS, port, connectTimeout: 1 }, new Cancellation());
    expect(await failure(connecting)).toEqual({ phase: 'connect', code: HOP_CODES.connectTimeout, unanswered: true });
  });

  test('of waiting for a response ends the connection', async () => {
    const { connection, peer } = await connected({ responseTimeout: 1 });
    expect(await failure(exchange(connection))).toEqual({
      phase: 'exchange',
      code: HOP_CODES.responseTimeout,
      unanswered: true,
    });
    await once(peer.resume(), 'end');
  });

  test('of waiting for a response holds in the middle of its body', async () => {
    const pair = await connected({ responseTimeout: 50 });
    answers(pair, OK.slice(0, -1));
    expect((await failure(exchange(pair.connection))).code).toBe(HOP_CODES.responseTimeout);
  });

  test('of waiting does not hold against a peer whose response nobody takes, but does again once somebody does', async () => {
    const pair = await connected({ responseTimeout: 20 });
    answers(pair, OK.slice(0, -1));
    await pair.connection.send(outbound());
    let failed: HopError | undefined;
    let taken = '';
    pair.connection.consume({
      data: (bytes) => {
        taken += bytes.toString('latin1');
        return false;
      },
      end: () => undefined,
      fail: (error) => {
        failed = error;
      },
    });
    await eventually(() => taken === 'hell');
    // Another connection runs into its limit meanwhile, so this one's has passed too.
    await failure(exchange((await connected({ responseTimeout: 40 })).connection));
    expect(failed).toBeUndefined();
    pair.connection.resume();
    await eventually(() => failed !== undefined);
    expect(failed?.code).toBe(HOP_CODES.responseTimeout);
  });
});

test('nobody there is an error of connecting', async () => {
  const port = await rawServer();
  await cleanUp();
  const connecting = UpstreamConnection.connect({ ...OPTIONS, port }, new Cancellation());
  expect(await failure(connecting)).toEqual({ phase: 'connect', code: 'ECONNREFUSED', unanswered: true });
});

describe('giving up', () => {
  test('while connecting', async () => {
    const cancellation = new Cancellation();
    const connecting = UpstreamConnection.connect({ ...OPTIONS, port: await hanging() }, cancellation);
    cancellation.cancel();
    expect((await failure(connecting)).phase).toBe('connect');
  });

  test('before connecting', async () => {
    const cancellation = new Cancellation();
    cancellation.cancel();
    const connecting = UpstreamConnection.connect({ ...OPTIONS, port: await rawServer() }, cancellation);
    expect((await failure(connecting)).code).toBe(HOP_CODES.closed);
  });
});

describe('back-pressure', () => {
  test('a consumer that says no is given nothing more until it asks, and nothing is lost', async () => {
    const size = 16 * 1024 * 1024;
    const { connection, peer } = await connected();
    peer.once('data', () => {
      peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
      peer.end(Buffer.alloc(size, 'x'));
    });
    await connection.send(outbound());
    let taken = 0;
    let calls = 0;
    let ended = false;
    const whole = new Promise<void>((resolve, reject) => {
      connection.consume({
        data: (bytes) => {
          taken += bytes.length;
          calls += 1;
          return false;
        },
        end: () => {
          ended = true;
          resolve();
        },
        fail: reject,
      });
    });
    await eventually(() => calls === 1);
    for (let i = 0; i < 100; i += 1) await setImmediate();
    expect(calls).toBe(1);
    // The peer could not get rid of it all: the kernel's buffers are full, and so is what we have read.
    expect(peer.writableLength).toBeGreaterThan(0);
    await eventually(() => {
      connection.resume();
      return ended;
    });
    await whole;
    expect(taken).toBe(size);
  });

  test('a body is sent on when the peer takes data again', async () => {
    const { connection, peer } = await connected();
    const block = Buffer.alloc(1024 * 1024, 'x');
    let left = 16;
    let stopped = false;
    const body: OutboundBody = {
      sent: true,
      bytes: 0,
      awaited: false,
      sendTo: (socket) => {
        while (left > 0) {
          left -= 1;
          if (!socket.write(block)) return;
        }
      },
      stop: () => {
        stopped = true;
      },
    };
    let received = 0;
    peer.pause();
    const head = connection.send(outbound('POST', body));
    expect(left).toBeGreaterThan(0);
    peer.on('data', (bytes) => {
      received += bytes.length;
      if (received > 16 * block.length) peer.write(OK);
    });
    peer.resume();
    expect((await head).status).toBe(200);
    await bodyOf(connection);
    expect(left).toBe(0);
    expect(stopped).toBe(true);
  });
});

describe('a body that', () => {
  const body = (sent: boolean, bytes: number): OutboundBody => ({
    sent,
    bytes,
    awaited: false,
    sendTo: () => undefined,
    stop: () => undefined,
  });

  test.each<[what: string, body: OutboundBody, status: number, reusable: boolean]>([
    ['was sent and taken', body(true, 1_000_000), 200, true],
    ['was small and refused', body(true, 16 * 1024), 407, true],
    ['was large and refused', body(true, 16 * 1024 + 1), 407, false],
    ['has not ended', body(false, 1), 200, false],
  ])('%s leaves the connection fit for the next, or not', async (_what, sent, status, reusable) => {
    const pair = await connected();
    answers(pair, OK.replace('200', String(status)));
    await pair.connection.send(outbound('POST', sent));
    await bodyOf(pair.connection);
    expect(pair.connection.reusable).toBe(reusable);
  });
});

describe('a tunnel', () => {
  test('is given away with the bytes that came behind the head', async () => {
    const pair = await connected();
    answers(pair, 'HTTP/1.1 200 OK\r\n\r\nhello');
    const head = await pair.connection.send(outbound('CONNECT'));
    expect(head.framing.kind).toBe('tunnel');
    const side = pair.connection.detach();
    expect(side.head.toString()).toBe('hello');
    expect(pair.connection.reusable).toBe(false);
    pair.peer.write('more');
    side.socket.resume();
    const [more] = (await once(side.socket, 'data')) as [Buffer];
    expect(more.toString()).toBe('more');
    side.socket.destroy();
  });
});

test('can speak over a socket that is there already, with bytes that came early', async () => {
  const pair = await connected();
  const { socket } = pair.connection.detach();
  const inner = UpstreamConnection.over({ socket, head: Buffer.from(OK) }, { ...OPTIONS, port: 1 });
  expect(await exchange(inner)).toMatchObject({ status: 200, body: 'hello' });
});
