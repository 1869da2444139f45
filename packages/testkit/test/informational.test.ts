import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Chain } from '../src/index.ts';
import { RawConnection, startChain } from '../src/index.ts';

/** 1xx through the whole chain: 100 is for the origin to say, 103 passes, and nobody waits for what does not come. */
let origin: Server;
let chain: Chain;
let authority: string;
/** What the origin does with a connection once the head of a request has come. */
let answer: (socket: Socket, head: string) => void;
let received = '';

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
/** Closes: each request of these tests comes on a connection of its own. */
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok';

beforeAll(async () => {
  origin = createServer((socket) => {
    let answered = false;
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
      if (answered || !received.includes('\r\n\r\n')) return;
      answered = true;
      answer(socket, received);
    });
  });
  await once(origin.listen(0, '127.0.0.1'), 'listening');
  authority = `127.0.0.1:${(origin.address() as AddressInfo).port}`;
  chain = await startChain({ upstream: { private: 'allow', auth: { schemes: ['basic'] } } });
  // From now on the credentials are known: each request below is one leg.
  const first = await RawConnection.connect(chain.downstream.port);
  await first.exchange('GET http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\n\r\n');
  first.destroy();
});

afterAll(async () => {
  await chain.close();
  origin.close();
});

beforeEach(() => {
  received = '';
});

const post = (fields: string, version = '1.1'): string =>
  `POST http://${authority}/ HTTP/${version}\r\nHost: ${authority}\r\nContent-Length: 5\r\n${fields}\r\n`;
const EXPECTS = 'Expect: 100-continue\r\n';

function whenWhole(socket: Socket): void {
  const look = (): void => void (received.endsWith('hello') && socket.end(OK));
  socket.on('data', look);
  look();
}

async function connected(): Promise<RawConnection> {
  return RawConnection.connect(chain.downstream.port);
}

describe('a client that waits with its body', () => {
  test('is told to go on when the origin says so, and not before', async () => {
    let asked: (socket: Socket) => void = () => undefined;
    const there = new Promise<Socket>((resolve) => {
      asked = resolve;
    });
    answer = (socket) => asked(socket);
    const client = await connected();
    client.write(post(EXPECTS));
    const socket = await there;
    expect(received).toContain('Expect: 100-continue\r\n');
    socket.write(CONTINUE);
    await client.readUntil(CONTINUE);
    client.write('hello');
    while (!received.endsWith('hello')) await once(socket, 'data');
    socket.end(OK);
    expect((await client.readResponse({ method: 'POST' })).status).toBe(200);
    client.destroy();
  });

  test('is told the answer instead, where the origin does not want the body, and its connection ends', async () => {
    answer = (socket) => socket.end('HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    const client = await connected();
    const response = await client.exchange(post(EXPECTS));
    expect([response.status, response.informational, response.persistent]).toEqual([413, [], false]);
    expect(received).not.toContain('hello');
    client.destroy();
  });

  test('may lose patience: the body goes on its way', async () => {
    answer = whenWhole;
    const client = await connected();
    expect((await client.exchange(`${post(EXPECTS)}hello`)).status).toBe(200);
    client.destroy();
  });

  test('of HTTP/1.0 cannot: nothing is expected for it, and it is told no 1xx', async () => {
    answer = (socket) => socket.end(`${CONTINUE}HTTP/1.1 103 Early Hints\r\n\r\n${OK}`);
    const client = await connected();
    const response = await client.exchange(`${post(EXPECTS, '1.0')}hello`);
    expect([response.status, response.informational]).toEqual([200, []]);
    expect(received).not.toMatch(/expect/i);
    client.destroy();
  });
});

test('103 passes on with its fields, as often as it comes', async () => {
  const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nConnection: x\r\nX: hop-by-hop\r\n\r\n';
  answer = (socket) => socket.end(`${hints}${hints}${OK}`);
  const client = await connected();
  client.write(`GET http://${authority}/ HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  const hint = await client.readUntil('\r\n\r\n');
  expect(hint).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload\r\n(Via: [^\r]+\r\n)+\r\n$/);
  const response = await client.readResponse();
  expect([response.status, response.informational]).toEqual([200, [103]]);
  client.destroy();
});

test('103 passes on to a client that offers an upgrade, whatever comes of that', async () => {
  const hint = 'HTTP/1.1 103 Early Hints\r\n\r\n';
  const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';
  const offer = `GET http://${authority}/ HTTP/1.1\r\nHost: ${authority}\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n`;
  for (const [final, status] of [
    [OK, 200],
    [switching, 101],
  ] as const) {
    received = '';
    answer = (socket) => socket.end(`${hint}${final}`);
    const client = await connected();
    const response = await client.exchange(offer);
    expect([response.status, response.informational]).toEqual([status, [103]]);
    client.destroy();
  }
});

test('auth-int, which needs the body first, invites it', async () => {
  const digest = await startChain({
    upstream: { private: 'allow', auth: { schemes: ['digest'], digest: { qop: ['auth-int'] } } },
  });
  answer = whenWhole;
  const client = await RawConnection.connect(digest.downstream.port);
  client.write(post(EXPECTS));
  await client.readUntil(CONTINUE);
  client.write('hello');
  expect((await client.readResponse({ method: 'POST' })).status).toBe(200);
  expect(received.endsWith('hello')).toBe(true);
  client.destroy();
  await digest.close();
});
