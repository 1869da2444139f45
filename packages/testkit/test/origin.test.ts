import { createHash } from 'node:crypto';
import type { EchoedRequest, Origin } from '@chain407/testkit';
import { RawConnection, startOrigin } from '@chain407/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';

let origin: Origin;
let client: RawConnection;

beforeAll(async () => {
  origin = await startOrigin();
});
afterAll(() => origin.close());
beforeEach(async () => {
  client = await RawConnection.connect(origin.port);
});
afterEach(() => client.destroy());

const echoOf = (body: Buffer): EchoedRequest => JSON.parse(body.toString()) as EchoedRequest;

describe('the echo', () => {
  test('shows method, target and headers as they came, repeats and case included', async () => {
    client.write('GET //a/../b?c=%2f HTTP/1.1\r\nhOST: x\r\nX-A: 1\r\nx-a: 2\r\n\r\n');
    const { status, body } = await client.readResponse();
    expect(status).toBe(200);
    expect(echoOf(body)).toMatchObject({
      method: 'GET',
      target: '//a/../b?c=%2f',
      httpVersion: '1.1',
      headers: [
        ['hOST', 'x'],
        ['X-A', '1'],
        ['x-a', '2'],
      ],
      bodyLength: 0,
      trailers: [],
    });
  });

  test('shows length and digest of a chunked body, and its trailers', async () => {
    client.write(
      'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-T: t\r\n\r\n',
    );
    const echo = echoOf((await client.readResponse()).body);
    expect(echo).toMatchObject({ bodyLength: 5, trailers: [['X-T', 't']] });
    expect(echo.bodySha256).toBe(createHash('sha256').update('abcde').digest('hex'));
    expect(origin.requests.at(-1)).toEqual(echo);
  });

  test('names the TCP connection: the same on one, another on the next', async () => {
    const request = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
    const other = await RawConnection.connect(origin.port);
    const ids: string[] = [];
    for (const connection of [client, client, other]) {
      ids.push(echoOf((await connection.write(request).readResponse()).body).connection);
    }
    other.destroy();
    expect(ids[0]).toMatch(/^o[0-9]+$/);
    expect(ids[1]).toBe(ids[0]);
    expect(ids[2]).not.toBe(ids[0]);
  });
});

describe('the paths', () => {
  test.each([
    ['/size/200000', 200, 200_000],
    ['/chunked/200000', 200, 200_000],
    ['/size/0', 200, 0],
    ['/status/503', 503, 4],
    ['/status/204', 204, 0],
    ['/407', 407, 16],
  ])('%s answers %i with %i bytes', async (path, status, bytes) => {
    const response = await client.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).readResponse();
    expect([response.status, response.body.length]).toEqual([status, bytes]);
    const next = await client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n').readResponse();
    expect(next.status).toBe(200);
  });

  test('/chunked ends in a trailer', async () => {
    const { trailers } = await client.write('GET /chunked/7 HTTP/1.1\r\nHost: x\r\n\r\n').readResponse();
    expect(trailers).toEqual(['X-Bytes', '7']);
  });

  test('a path is found in an absolute-form target too', async () => {
    const { status } = await client.write('GET http://x/status/404?q HTTP/1.1\r\nHost: x\r\n\r\n').readResponse();
    expect(status).toBe(404);
  });

  test('/cut closes in the middle of the body', async () => {
    client.write('GET /cut HTTP/1.1\r\nHost: x\r\n\r\n');
    await expect(client.readResponse()).rejects.toThrow(/closed in the middle of the body.*x{500}"/);
  });
});

describe('upgrades', () => {
  const upgrade = (protocol: string, more = ''): string =>
    `GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n${more}\r\n`;

  test('echo sends every byte back, those that came with the request first, and keeps half-close', async () => {
    client.write(`${upgrade('echo')}early`);
    const { status } = await client.readResponse({ upgrade: true });
    expect(status).toBe(101);
    client.write(' late').end();
    expect((await client.readRest()).toString()).toBe('early late');
  });

  test('websocket is accepted as RFC 6455 §1.3 wants', async () => {
    client.write(upgrade('websocket', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'));
    const { headers } = await client.readResponse({ upgrade: true });
    expect(headers).toContain('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  });

  test('another protocol is ignored: an ordinary answer', async () => {
    client.write(upgrade('h2c'));
    const { status, body } = await client.readResponse({ upgrade: true });
    expect([status, echoOf(body).target]).toEqual([200, '/']);
  });
});

test('close cuts what is open and frees the port', async () => {
  const other = await startOrigin();
  const hanging = await RawConnection.connect(other.port);
  hanging.write('GET /hang HTTP/1.1\r\nHost: x\r\n\r\n');
  const { port } = other;
  await other.close();
  expect(await hanging.closed()).toMatch(/end|reset/);
  expect(other.connections).toBe(0);
  await expect(RawConnection.connect(port)).rejects.toThrow('ECONNREFUSED');
  hanging.destroy();
});
