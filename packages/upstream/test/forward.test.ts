import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { RawConnection, rawExchange, startOrigin } from '@chain407/testkit';
import { afterEach, describe, expect, test } from '@jest/globals';
import { answering, OK, rawOrigin } from './raw-origin.ts';
import { cleanUp, closeLater, hanging, runUpstream } from './running-upstream.ts';

afterEach(cleanUp);

const head = (method: string, authority: string, path: string, fields = ''): string =>
  `${method} http://${authority}${path} HTTP/1.1\r\nHost: ${authority}\r\n${fields}\r\n`;

/** Connections of this process that are being opened. */
const dials = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'ConnectWrap').length;

async function client(port: number): Promise<RawConnection> {
  const connection = await RawConnection.connect(port);
  closeLater(() => connection.destroy());
  return connection;
}

async function echoing(): Promise<{ authority: string; origin: Awaited<ReturnType<typeof startOrigin>> }> {
  const origin = await startOrigin();
  closeLater(() => origin.close());
  return { origin, authority: `127.0.0.1:${origin.port}` };
}

describe('a request', () => {
  test('goes on with a Host made from its target and without userinfo', async () => {
    const origin = await rawOrigin();
    const { port, pseudonym } = await runUpstream();
    const request = `GET http://me:secret@${origin.authority}/a HTTP/1.1\r\nhost: ${origin.authority}\r\nX: 1\r\nVia: 1.0 other\r\n\r\n`;
    await rawExchange(port, request, { until: 'ok' });
    expect(origin.received).toMatch(
      new RegExp(
        `^GET /a HTTP/1.1\\r\\nHost: ${origin.authority}\\r\\nX: 1\\r\\nVia: 1.0 other\\r\\nVia: 1.1 ${pseudonym}\\r\\n`,
      ),
    );
    expect(origin.received).not.toContain('secret');
  });

  const body = 'x'.repeat(300_000);
  test.each([
    ['by length', `Content-Length: ${body.length}\r\n`, body],
    ['in chunks', 'Transfer-Encoding: chunked\r\n', `${body.length.toString(16)};ext=1\r\n${body}\r\n0\r\n\r\n`],
    ['of length 0', 'Content-Length: 0\r\n', ''],
  ])('has its body carried on %s', async (_how, fields, bytes) => {
    const { origin, authority } = await echoing();
    const { port } = await runUpstream();
    await rawExchange(port, head('POST', authority, '/', fields) + bytes, { until: '200 OK' });
    const sent = bytes === '' ? '' : body;
    const sha = createHash('sha256').update(sent).digest('hex');
    expect(origin.requests).toMatchObject([{ bodyLength: sent.length, bodySha256: sha }]);
  });

  test('in chunks has its trailers carried on, but not those that speak of framing', async () => {
    const { origin, authority } = await echoing();
    const { port } = await runUpstream();
    const trailers = 'X-Sum: 1\r\nContent-Encoding: gzip\r\n';
    const bytes = `${head('POST', authority, '/', 'Transfer-Encoding: chunked\r\n')}1\r\na\r\n0\r\n${trailers}\r\n`;
    await rawExchange(port, bytes, { until: '200 OK' });
    expect(origin.requests[0]?.trailers).toEqual([['X-Sum', '1']]);
  });

  test('goes on before its body has come', async () => {
    const origin = await rawOrigin(() => undefined);
    const { port } = await runUpstream();
    (await client(port)).write(head('POST', origin.authority, '/slow', 'Content-Length: 5\r\n'));
    await origin.receives('/slow');
  });

  test('is answered in order with the others that came with it', async () => {
    const { authority } = await echoing();
    const { port } = await runUpstream();
    const connection = await client(port);
    connection.write(
      ['/status/201', '/size/100000', '/status/203'].map((path) => head('GET', authority, path)).join(''),
    );
    const answers = [];
    for (let i = 0; i < 3; i += 1) answers.push(await connection.readResponse());
    expect(answers.map(({ status, body: { length } }) => [status, length])).toEqual([
      [201, 4],
      [200, 100_000],
      [203, 4],
    ]);
  });
});

describe('a response', () => {
  test('comes with its trailers', async () => {
    const { authority } = await echoing();
    const { port } = await runUpstream();
    const answer = await (await client(port)).exchange(head('GET', authority, '/chunked/70000'));
    expect(answer.body).toHaveLength(70_000);
    expect(answer.trailers).toEqual(['X-Bytes', '70000']);
  });

  test('shows its head before its first byte has come', async () => {
    const origin = await rawOrigin(answering('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n'));
    const { port } = await runUpstream();
    const connection = await client(port);
    connection.write(head('GET', origin.authority, '/'));
    expect(await connection.readUntil('\r\n\r\n')).toContain('text/event-stream');
  });

  test('to HEAD has no body and keeps its length', async () => {
    const origin = await rawOrigin(answering('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n'));
    const { port } = await runUpstream();
    const connection = await client(port);
    for (let i = 0; i < 2; i += 1) {
      const answer = await connection.exchange(head('HEAD', origin.authority, '/'));
      expect(answer.headers.join(': ')).toContain('Content-Length: 99');
      expect(answer.body).toHaveLength(0);
    }
  });

  test('loses what is hop-by-hop', async () => {
    const fields =
      'Connection: X-Mine, keep-alive\r\nX-Mine: 1\r\nKeep-Alive: timeout=9\r\nProxy-Connection: x\r\nUpgrade: h2c\r\n';
    const origin = await rawOrigin(answering(`HTTP/1.1 200 OK\r\n${fields}Content-Length: 0\r\n\r\n`));
    const { port } = await runUpstream();
    const { headers } = await (await client(port)).exchange(head('GET', origin.authority, '/'));
    expect(headers.join('\n')).not.toMatch(/x-mine|timeout=9|proxy-connection|upgrade/i);
  });

  test('with more than a thousand fields keeps them all', async () => {
    const fields = Array.from({ length: 1500 }, (_, i) => `X: ${i}\r\n`).join('');
    const origin = await rawOrigin(answering(`HTTP/1.1 200 OK\r\n${fields}Content-Length: 2\r\n\r\nok`));
    const { port } = await runUpstream({ limits: { headerCount: 2000 } });
    const { headers, body } = await (await client(port)).exchange(head('GET', origin.authority, '/'));
    expect(headers.filter((name) => name === 'X')).toHaveLength(1500);
    expect(body.toString()).toBe('ok');
  });

  test.each([
    ['with Content-Length', 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf'],
    ['in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
  ])('that stops half-way %s does not look whole', async (_how, response) => {
    const origin = await rawOrigin((socket) => socket.end(response));
    const { port } = await runUpstream();
    const connection = await client(port);
    connection.write(head('GET', origin.authority, '/'));
    expect(await connection.readUntil('half')).toMatch(/^HTTP\/1\.1 200/);
    expect((await connection.readRest()).toString()).not.toContain('0\r\n\r\n');
  });

  test('that is cut off frees both sides, and so does a client that leaves in the middle of it', async () => {
    const origin = await rawOrigin(answering(`HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf`));
    const upstream = await runUpstream();
    const connection = await client(upstream.port);
    connection.write(head('GET', origin.authority, '/'));
    await connection.readUntil('half');
    connection.destroy();
    await origin.deserted();
  });

  test.each([
    ['is no HTTP', 'SSH-2.0-x\r\n\r\n', 'http_protocol_error'],
    [
      'has length and chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      'http_protocol_error',
    ],
    [
      'has a coding nobody asked for',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
      'http_protocol_error',
    ],
    [
      'switches protocols unasked',
      'HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
      'http_protocol_error',
    ],
    [
      'has a head that is too large',
      `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(70_000)}\r\n\r\n`,
      'http_response_header_section_size',
    ],
    [
      'has more fields than it may',
      `HTTP/1.1 200 OK\r\n${'X: a\r\n'.repeat(257)}\r\n`,
      'http_response_header_section_size',
    ],
    [
      'has more fields than it may in a 1xx',
      `HTTP/1.1 103 Early Hints\r\n${'X: a\r\n'.repeat(257)}\r\n`,
      'http_response_header_section_size',
    ],
  ])('that %s becomes 502', async (_what, response, error) => {
    const origin = await rawOrigin(answering(response));
    const { port } = await runUpstream();
    const connection = await client(port);
    const answer = await connection.exchange(head('GET', origin.authority, '/'));
    expect(answer.status).toBe(502);
    expect(answer.headers.join('\n')).toContain(`error=${error}; next-hop="${origin.authority}"`);
    expect((await connection.exchange(head('GET', origin.authority, '/'))).status).toBe(502);
  });

  test('that comes before the upload is whole, on a connection that then closes, leaves the client its connection', async () => {
    const origin = await rawOrigin((socket, text) => {
      if (text.endsWith('begin'))
        socket.end('HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      if (text.includes('/after')) socket.write(OK);
    });
    const { port } = await runUpstream();
    const connection = await client(port);
    connection.write(`${head('POST', origin.authority, '/', 'Content-Length: 10\r\n')}begin`);
    expect((await connection.readResponse()).status).toBe(413);
    await origin.deserted();
    connection.write('nings');
    expect((await connection.exchange(head('GET', origin.authority, '/after'))).status).toBe(200);
  });

  test('that comes before an upload of more than sockets hold goes on taking it', async () => {
    const length = 4 * 1024 * 1024;
    const origin = await rawOrigin((socket, text) => {
      if (text.endsWith('begin')) socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n');
      if (text.includes('/after')) socket.write(OK);
    });
    const { port } = await runUpstream();
    const connection = await client(port);
    connection.write(`${head('POST', origin.authority, '/', `Content-Length: ${length}\r\n`)}begin`);
    expect((await connection.readResponse()).status).toBe(413);
    connection.write('x'.repeat(length - 'begin'.length));
    expect((await connection.exchange(head('GET', origin.authority, '/after'))).status).toBe(200);
  });
});

describe('an origin', () => {
  test.each([
    ['that is down', 'connection_refused', 502, async () => 'http://127.0.0.1:1/'],
    ['whose name is unknown', 'dns_error', 502, async () => 'http://unknown.invalid/'],
    ['that does not accept', 'connection_timeout', 504, async () => `http://127.0.0.1:${await hanging()}/`],
    [
      'that does not shake hands',
      'connection_timeout',
      504,
      async () => `https://${(await rawOrigin(() => undefined)).authority}/`,
    ],
    [
      'that speaks no TLS',
      'tls_protocol_error',
      502,
      async () => `https://${(await rawOrigin((socket) => socket.write('HTTP/1.1 400 x\r\n\r\n'))).authority}/`,
    ],
  ])('%s is explained: %s', async (_what, error, status, url) => {
    const { port } = await runUpstream({ limits: { connectTimeout: '200ms' } });
    const target = await url();
    const authority = target.split('/')[2] ?? '';
    const connection = await client(port);
    const answer = await connection.exchange(`GET ${target} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
    expect(answer.status).toBe(status);
    expect(answer.headers.join('\n')).toContain(`error=${error}; next-hop="${authority}"`);
    expect(answer.body.toString()).toMatch(/Symptom: .+\nCause: .+\nRemedy: .+/);
    expect(answer.body.toString()).toContain(authority);
  });

  test('is not waited for once the client has gone, not even for a connection', async () => {
    const silent = await hanging();
    const { port } = await runUpstream();
    const connection = await client(port);
    connection.write(head('GET', `127.0.0.1:${silent}`, '/'));
    while (dials() === 0) await setImmediate();
    connection.destroy();
    while (dials() > 0) await setImmediate();
  });

  test('is down in the middle of a small upload: the client is told, and goes on', async () => {
    const { port } = await runUpstream();
    const connection = await client(port);
    const request = `${head('POST', '127.0.0.1:1', '/', 'Content-Length: 5\r\n')}hello`;
    expect((await connection.exchange(request)).status).toBe(502);
    expect((await connection.exchange(request)).status).toBe(502);
  });
});
