import { RawConnection, rawExchange, startOrigin } from '@chain407/testkit';
import { afterEach, describe, expect, test } from '@jest/globals';
import { answering, OK, rawOrigin } from './raw-origin.ts';
import { cleanUp, closeLater, runUpstream } from './running-upstream.ts';

afterEach(cleanUp);

const head = (method: string, authority: string, path: string, fields = ''): string =>
  `${method} http://${authority}${path} HTTP/1.1\r\nHost: ${authority}\r\n${fields}\r\n`;

/** One test for each defect of http-proxy 1.18.1 that `forward.ts` is guarded against. */
describe('http-proxy 1.18.1', () => {
  // The attack (CVE-2026-29057): http-proxy gives a DELETE or OPTIONS without a length `Content-Length: 0`, and sends the
  // body all the same. On a kept connection the origin takes it for the next request.
  test.each(['DELETE', 'OPTIONS'])('makes a chunked %s one of length 0 with a raw body behind it', async (method) => {
    const origin = await rawOrigin((socket, text) => {
      if (text.endsWith('0\r\n\r\n')) socket.write(OK);
    });
    const { port } = await runUpstream();
    const inner = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
    const body = `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`;
    const request = head(method, origin.authority, '/', 'Transfer-Encoding: chunked\r\n') + body;
    await rawExchange(port, request, { until: 'ok' });
    expect(origin.received).toMatch(/^transfer-encoding: chunked\r$/im);
    expect(origin.received).not.toMatch(/content-length/i);
    expect(origin.received.endsWith(body)).toBe(true);
  });

  test('crashes the process on Trailer', async () => {
    const origin = await rawOrigin();
    const { port } = await runUpstream();
    await rawExchange(port, head('GET', origin.authority, '/', 'Trailer: X-Sum\r\n'), { until: 'ok' });
    expect(origin.received).not.toMatch(/^trailer:/im);
  });

  test('skips its own hook on Expect', async () => {
    const origin = await startOrigin();
    closeLater(() => origin.close());
    const { port, pseudonym } = await runUpstream();
    const request = head('POST', `127.0.0.1:${origin.port}`, '/', 'Expect: 100-continue\r\nContent-Length: 2\r\n');
    await rawExchange(port, `${request}hi`, { until: 'HTTP/1.1 200' });
    expect(origin.requests[0]).toMatchObject({ method: 'POST', bodyLength: 2 });
    expect(origin.requests[0]?.headers).toContainEqual(['Expect', '100-continue']);
    expect(origin.requests[0]?.headers).toContainEqual(['Via', `1.1 ${pseudonym}`]);
  });

  test('forwards hop-by-hop fields, those that Connection names, and the credentials', async () => {
    const origin = await rawOrigin();
    const { port } = await runUpstream();
    const fields = [
      'Proxy-Authorization: Basic YWxpY2U6eA==',
      'Proxy-Connection: keep-alive',
      'Keep-Alive: timeout=5',
      'TE: trailers',
      'Connection: X-Mine, keep-alive',
      'X-Mine: 1',
      'X-Kept: 2',
    ];
    await rawExchange(port, head('GET', origin.authority, '/', `${fields.join('\r\n')}\r\n`), { until: 'ok' });
    expect(origin.received).not.toMatch(/^(proxy-.*|keep-alive|te|x-mine):/im);
    expect(origin.received).toContain('X-Kept: 2\r\n');
  });

  test.each([
    '/',
    '//',
    '//a//b/../c/./d//',
    '/a?b=http://c//d?e??f',
    '/\'"|{}\\^`<>~!*();',
    '/%2F%2f%00/%',
    '?',
    '/http:/x/https:/y',
    '/@:80/',
  ])('rewrites the target: %s', async (path) => {
    const origin = await rawOrigin();
    const { port } = await runUpstream();
    await rawExchange(port, head('GET', origin.authority, path), { until: 'ok' });
    expect(origin.received.split('\r\n')[0]).toBe(`GET ${path.startsWith('/') ? path : `/${path}`} HTTP/1.1`);
  });

  test('merges repeated fields of the request', async () => {
    const origin = await rawOrigin();
    const { port } = await runUpstream();
    const fields = 'X-Many: a, b\r\nx-many: c\r\nX-One: 1\r\nX-MANY: d\r\n__proto__: e\r\n';
    await rawExchange(port, head('GET', origin.authority, '/', fields), { until: 'ok' });
    expect(origin.received).toContain('X-Many: a, b\r\nX-Many: c\r\nX-Many: d\r\n');
    expect(origin.received).toContain('X-One: 1\r\n');
    expect(origin.received).toContain('__proto__: e\r\n');
  });

  test('merges repeated fields of the response', async () => {
    const fields = 'Set-Cookie: a=1\r\nset-cookie: b=2\r\nVary: x\r\nX: 1\r\nVary: y\r\nDate: yesterday\r\n';
    const origin = await rawOrigin(answering(`HTTP/1.1 200 Fine so far\r\n${fields}Content-Length: 2\r\n\r\nok`));
    const { port, pseudonym } = await runUpstream();
    const answer = await rawExchange(port, head('GET', origin.authority, '/'), { until: '\r\n\r\n' });
    expect(answer).toContain(`HTTP/1.1 200 Fine so far\r\n${fields}Content-Length: 2\r\nVia: 1.1 ${pseudonym}\r\n`);
    expect(answer.match(/^date:/gim)).toHaveLength(1);
  });

  test('leaks the connection to the origin when the client goes: 20 of 20', async () => {
    const origin = await rawOrigin(() => undefined);
    const upstream = await runUpstream();
    const clients = await Promise.all(Array.from({ length: 20 }, () => RawConnection.connect(upstream.port)));
    for (const client of clients) client.write(head('GET', origin.authority, '/'));
    await origin.until(() => origin.received.split('GET / ').length === 21);
    expect(origin.sockets.size).toBe(20);
    for (const client of clients) client.destroy();
    await origin.deserted();
  });

  test('waits for ever for an origin that does not answer', async () => {
    const origin = await rawOrigin(() => undefined);
    const { port } = await runUpstream({ limits: { responseTimeout: '50ms' } });
    const answer = await rawExchange(port, head('GET', origin.authority, '/'), { until: '\r\n\r\n' });
    expect(answer).toMatch(/^HTTP\/1\.1 504 /);
    expect(answer).toContain(`error=http_response_timeout; next-hop="${origin.authority}"`);
    await origin.deserted();
  });

  test('throws where nobody listens for its errors', async () => {
    const origin = await rawOrigin((socket) => socket.resetAndDestroy());
    const { port } = await runUpstream();
    const answer = await rawExchange(port, head('GET', origin.authority, '/'), { until: '\r\n\r\n' });
    expect(answer).toMatch(/^HTTP\/1\.1 502 /);
    expect(answer).toContain('error=connection_terminated');
  });

  test('opens a connection for every request and closes it', async () => {
    const origin = await rawOrigin();
    const { port } = await runUpstream();
    const client = await RawConnection.connect(port);
    closeLater(() => client.destroy());
    for (const path of ['/1', '/2', '/3'])
      expect((await client.exchange(head('GET', origin.authority, path))).status).toBe(200);
    expect(origin.accepted).toBe(1);
    expect(origin.received).not.toMatch(/^connection: close/im);
  });

  test('hands the response on by itself, the 407 of an origin too', async () => {
    const fields =
      'Proxy-Authenticate: Basic realm="evil"\r\nProxy-Authentication-Info: x\r\nProxy-Support: Session-Based-Authentication\r\n';
    const origin = await rawOrigin(answering(`HTTP/1.1 407 No\r\n${fields}Content-Length: 4\r\n\r\nevil`));
    const { port } = await runUpstream();
    const client = await RawConnection.connect(port);
    closeLater(() => client.destroy());
    const answer = await client.exchange(head('GET', origin.authority, '/'));
    expect(answer.status).toBe(502);
    expect(answer.headers.join('\n')).not.toMatch(/evil|proxy-auth|proxy-support/i);
    expect(answer.body.toString()).not.toContain('evil');
    expect(answer.headers.join('\n')).toContain('error=http_protocol_error');
    // The client's connection goes on.
    expect((await client.exchange(head('GET', origin.authority, '/'))).status).toBe(502);
  });
});

describe('a connection to the origin that was idle', () => {
  test.each([
    ['GET', '', 200],
    ['POST', 'Content-Length: 0\r\n', 502],
  ])('and is found dead: %s is answered %3$s', async (method, fields, status) => {
    const origin = await rawOrigin((socket, text) => {
      if (text.includes('/second')) {
        if (origin.accepted === 1) socket.resetAndDestroy();
        else socket.write(OK);
      } else socket.write(OK);
    });
    const { port } = await runUpstream();
    const client = await RawConnection.connect(port);
    closeLater(() => client.destroy());
    expect((await client.exchange(head('GET', origin.authority, '/first'))).status).toBe(200);
    const answer = await client.exchange(head(method, origin.authority, '/second', fields));
    expect(answer.status).toBe(status);
    expect(origin.accepted).toBe(status === 200 ? 2 : 1);
  });
});
