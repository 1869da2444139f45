import type { AddressInfo, Server } from 'node:net';
import { createServer } from 'node:net';
import { RawConnection, rawExchange } from '@chain407/testkit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

/** Says back what it was sent, and does what a line starting with `!` says. */
let server: Server;
let port: number;

beforeAll(async () => {
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      if (bytes.toString() === '!end') socket.end();
      else if (bytes.toString() === '!reset') socket.resetAndDestroy();
      else socket.write(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

describe('a raw connection', () => {
  test('reads a response whole and leaves what follows for the next read', async () => {
    const client = await RawConnection.connect(port);
    client.write(
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nabHTTP/1.1 204 \r\n\r\ntail',
    );
    expect(await client.readResponse()).toMatchObject({ status: 407, body: Buffer.from('ab'), informational: [100] });
    expect(await client.readResponse()).toMatchObject({ status: 204, informational: [] });
    expect((await client.readBytes(4)).toString()).toBe('tail');
    client.destroy();
  });

  test('reads no body after the head of an answer to HEAD', async () => {
    const client = await RawConnection.connect(port);
    client.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n');
    expect((await client.readResponse({ method: 'HEAD' })).body).toHaveLength(0);
    client.destroy();
  });

  test.each([
    ['HEAD', 'HEAD / HTTP/1.1\r\n\r\n', 200, 'none'],
    ['CONNECT', 'CONNECT x:1 HTTP/1.1\r\n\r\n', 200, 'tunnel'],
    ['an Upgrade', 'GET / HTTP/1.1\r\nConnection: Upgrade\r\n\r\n', 101, 'tunnel'],
    ['a plain request', 'GET / HTTP/1.1\r\n\r\n', 200, 'length'],
  ])('an exchange reads the answer to %s as such', async (_kind, request, status, framing) => {
    const answering = createServer((socket) => {
      socket.once('data', () =>
        socket.end(`HTTP/1.1 ${status} x\r\nConnection: Upgrade\r\nUpgrade: echo\r\nContent-Length: 1\r\n\r\n.`),
      );
    });
    await new Promise<void>((resolve) => answering.listen(0, '127.0.0.1', resolve));
    const client = await RawConnection.connect((answering.address() as AddressInfo).port);
    expect(await client.exchange(request)).toMatchObject({ status, framing: { kind: framing } });
    client.destroy();
    answering.close();
  });

  test('reads up to a text or a match and no further', async () => {
    const client = await RawConnection.connect(port);
    client.write('one two 3 four');
    expect(await client.readUntil('two')).toBe('one two');
    expect(await client.readUntil(/\d /)).toBe(' 3 ');
    expect(await client.readUntil('four')).toBe('four');
    client.destroy();
  });

  test.each([
    ['end', '!end'],
    ['reset', '!reset'],
  ])('tells how the peer closed: %s', async (how, command) => {
    const client = await RawConnection.connect(port);
    client.write(command);
    expect(await client.closed()).toBe(how);
    client.destroy();
  });
});

describe('a read that cannot succeed fails with what has come', () => {
  const failure = async (bytes: string, read: (client: RawConnection) => Promise<unknown>): Promise<string> => {
    const client = await RawConnection.connect(port, { deadline: 200 });
    client.write(bytes);
    await client.readUntil('|');
    const failed = read(client);
    if (bytes.includes('bye')) client.end();
    const message = await failed.then(String, (error: Error) => error.message);
    client.destroy();
    return message;
  };

  test.each([
    ['nothing more comes', '|abc', 'waited for "x", but nothing more came for 200 ms; received so far: "abc"'],
    ['the peer closes', '|bye', 'waited for "x", but the peer closed (end); received so far: "bye"'],
  ])('%s', async (_why, bytes, message) => {
    expect(await failure(bytes, (client) => client.readUntil('x'))).toBe(message);
  });

  test('the response is malformed', async () => {
    expect(await failure('|HTTP/9 what\r\n\r\n', (client) => client.readResponse())).toBe(
      'waited for a whole response, but the status line is malformed; received so far: "HTTP/9 what\\r\\n\\r\\n"',
    );
  });

  test('the response is cut short', async () => {
    expect(
      await failure('|HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbye', (client) => client.readResponse()),
    ).toContain('but closed in the middle of the body; received so far: "HTTP/1.1 200 OK');
  });
});

test('rawExchange returns what came up to a text', async () => {
  expect(await rawExchange(port, 'abc\xff.', { until: '.' })).toBe('abc\xff.');
});

test('rawExchange returns everything up to the close without one', async () => {
  expect(await rawExchange(port, '!end')).toBe('');
});
