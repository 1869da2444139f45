import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { RawConnection, recordLegs } from '@chain407/testkit';
import { afterEach, describe, expect, test } from '@jest/globals';
import { OK, rawOrigin } from './raw-origin.ts';
import { ALICE, AS_ALICE, basic, cleanUp, closeLater, runUpstream } from './running-upstream.ts';

afterEach(cleanUp);

async function client(port: number): Promise<RawConnection> {
  const connection = await RawConnection.connect(port);
  closeLater(() => connection.destroy());
  return connection;
}

const get = (authority: string, fields = '', path = '/'): string =>
  `GET http://${authority}${path} HTTP/1.1\r\nHost: ${authority}\r\n${fields}\r\n`;
const connectTo = (authority: string, fields = ''): string =>
  `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${fields}\r\n`;

/** The `Proxy-Status` of the answer to one request. */
async function statusOf(port: number, request: string): Promise<{ status: number; proxyStatus: string }> {
  const { status, headers } = await (await client(port)).exchange(request);
  return { status, proxyStatus: headers[headers.indexOf('Proxy-Status') + 1] ?? '' };
}

describe('who may go where', () => {
  const BOB = { name: 'bob', password: { value: 'b' }, groups: ['staff'] };
  const access = [
    { deny: { to: ['denied.test'] } },
    { deny: { to: ['another.test'] }, status: 407 },
    { deny: { users: ['alice'], methods: ['PUT'] } },
    { allow: { users: ['alice'] } },
    { allow: { groups: ['staff'], to: ['staff.test:80'] } },
  ];
  const tier = { users: [ALICE, BOB], access, hosts: { 'staff.test': '127.0.0.1:1', 'ok.test': '127.0.0.1:1' } };
  const asBob = `Proxy-Authorization: ${basic('bob:b')}\r\n`;

  test.each([
    ['nobody, nowhere', get('ok.test'), 407, 'credentials missing'],
    ['alice, where a rule denies all', get('denied.test', AS_ALICE), 403, 'not permitted: access rule 1 denies alice'],
    ['alice, where a rule wants another account', get('another.test', AS_ALICE), 407, 'not permitted: access rule 2'],
    [
      'alice, with a method that is denied',
      get('ok.test', AS_ALICE).replace('GET', 'PUT'),
      403,
      'not permitted: access rule 3',
    ],
    ['alice, elsewhere', get('ok.test', AS_ALICE), 502, 'ok.test: nothing listens there'],
    ['bob, by his group', get('staff.test', asBob), 502, 'staff.test: nothing listens there'],
    ['bob, to another port', get('staff.test:8080', asBob), 403, 'not permitted: no access rule allows bob'],
  ])('%s', async (_who, request, status, details) => {
    const { port } = await runUpstream(tier);
    const answer = await statusOf(port, request);
    expect(answer.status).toBe(status);
    expect(answer.proxyStatus).toContain(`details="${details}`);
  });

  test.each([
    ['a plain request to a port that is not open', get('ok.test:25'), 'port 25'],
    ['CONNECT to a port that is open for plain requests only', connectTo('ok.test:80'), 'port 80'],
    ['CONNECT to a port that is not open at all', connectTo('ok.test:25'), 'port 25'],
  ])('%s is 403', async (_what, request, details) => {
    const { port } = await runUpstream({ ports: undefined, hosts: { 'ok.test': '127.0.0.1:1' } });
    const answer = await statusOf(port, request);
    expect(answer.status).toBe(403);
    expect(answer.proxyStatus).toContain(`error=http_request_denied; details="not permitted: ${details}`);
  });

  test.each([
    ['an address', '127.0.0.1'],
    ['an address in IPv6', '[::1]'],
    ['a mapped address', '[::ffff:127.0.0.1]'],
    ['the metadata service', '169.254.169.254'],
    ['a short spelling of one', '127.1'],
    ['a number', '2130706433'],
    ['a name that resolves to one', 'localhost'],
  ])('%s of the inside is 403 for plain requests, CONNECT and Upgrade', async (_what, host) => {
    const { port } = await runUpstream({ private: 'deny' });
    const offer = 'Connection: Upgrade\r\nUpgrade: x\r\n';
    for (const request of [get(`${host}:1`), connectTo(`${host}:1`), get(`${host}:1`, offer)]) {
      const answer = await statusOf(port, request);
      expect(answer.status).toBe(403);
      expect(answer.proxyStatus).toContain(`error=destination_ip_prohibited; next-hop="${host}:1"`);
    }
  });

  test('a name of hosts goes to the inside; the connection that it leaves behind serves nobody else', async () => {
    const origin = await rawOrigin();
    const { port } = await runUpstream({
      private: 'deny',
      hosts: { 'Origin.test': origin.authority, 'loop.test': '127.0.0.1' },
    });
    const connection = await client(port);
    expect((await connection.exchange(get('origin.TEST'))).status).toBe(200);
    expect((await connection.exchange(get(`loop.test:${origin.port}`))).status).toBe(200);
    expect((await connection.exchange(get(`localhost:${origin.port}`))).status).toBe(403);
    expect((await connection.exchange(get(origin.authority))).status).toBe(403);
    expect(origin.received).toContain('Host: origin.TEST\r\n');
  });
});

describe('what ends here', () => {
  test('a request that has passed this tier before', async () => {
    const { port, pseudonym } = await runUpstream();
    const answer = await statusOf(port, get('a.test', `Via: 1.1 other, 1.1 ${pseudonym} (x)\r\n`));
    expect(answer.status).toBe(502);
    expect(answer.proxyStatus).toContain('error=proxy_loop_detected');
  });

  test('a request whose name leads back to this tier', async () => {
    const { port } = await runUpstream();
    const answer = await statusOf(port, get(`127.0.0.1:${port}`));
    // It comes back in origin-form, as to a site.
    expect(answer.status).toBe(400);
  });

  test('TRACE with Max-Forwards 0, echoed without its credentials', async () => {
    const { port } = await runUpstream({ users: [ALICE] });
    const secrets = `${AS_ALICE}Authorization: Bearer t0ken\r\nCookie: c00kie=1\r\n`;
    const request = get('a.test', `${secrets}Max-Forwards: 0\r\nX-Kept: 1\r\n`).replace('GET', 'TRACE');
    const { status, headers, body } = await (await client(port)).exchange(request);
    expect(status).toBe(200);
    expect(headers).toContain('message/http');
    expect(body.toString()).toContain('TRACE http://a.test/ HTTP/1.1\r\nHost: a.test\r\n');
    expect(body.toString()).toContain('X-Kept: 1\r\n');
    expect(body.toString()).not.toMatch(/authorization|t0ken|c00kie/i);
  });

  test.each(['OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', get('a.test', 'Max-Forwards: 0\r\n').replace('GET', 'OPTIONS')])(
    'OPTIONS: %j',
    async (request) => {
      const { port } = await runUpstream();
      const { status, headers } = await (await client(port)).exchange(request);
      expect(status).toBe(200);
      expect(headers[headers.indexOf('Allow') + 1]).toContain('CONNECT');
    },
  );

  test('but not TRACE with more to go: it goes on with one less', async () => {
    const origin = await rawOrigin();
    const { port } = await runUpstream();
    await (await client(port)).exchange(get(origin.authority, 'Max-Forwards: 3\r\n').replace('GET', 'TRACE'));
    expect(origin.received).toContain('Max-Forwards: 2\r\n');
  });
});

describe('a refused request with a body', () => {
  const big = Buffer.alloc(3_000_000, 'x');

  test.each([
    ['that has come', 'Content-Length: 5\r\n', Buffer.from('hello')],
    ['by length, large', `Content-Length: ${big.length}\r\n`, big],
    ['in chunks', 'Transfer-Encoding: chunked\r\n', Buffer.from('5\r\nhello\r\n0\r\n\r\n')],
    // The attack: were the body taken for the next request, it would be one that nobody has refused.
    [
      'that looks like a request',
      'Content-Length: 46\r\n',
      Buffer.from('GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n#'),
    ],
  ])(
    '(%s) is answered 407, and the next request on the connection is the next request',
    async (_what, fields, body) => {
      const origin = await rawOrigin();
      const { port } = await runUpstream({ users: [ALICE] });
      const connection = await client(port);
      connection.write(get(origin.authority, fields).replace('GET', 'POST'));
      connection.write(body.subarray(0, Number(/Length: (\d+)/.exec(fields)?.[1] ?? body.length)));
      expect((await connection.readResponse()).status).toBe(407);
      expect((await connection.exchange(get(origin.authority, AS_ALICE))).body.toString()).toBe('ok');
      expect(origin.received).toMatch(/^GET \/ /);
      expect(origin.accepted).toBe(1);
    },
  );
});

describe('the end of a tier', () => {
  test('waits for the exchanges under way, takes no new ones, and then frees every socket', async () => {
    const origin = await rawOrigin(() => undefined);
    const upstream = await runUpstream();
    const connection = await client(upstream.port);
    connection.write(get(origin.authority));
    await origin.receives('GET /');
    const closed = upstream.close();
    await expect(RawConnection.connect(upstream.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    for (const socket of origin.sockets) socket.write(OK);
    expect((await connection.readResponse()).body.toString()).toBe('ok');
    await closed;
    await origin.deserted();
    while (upstream.connections > 0) await setImmediate();
  });

  test('cuts tunnels when the time to drain is over, and everything when it is killed', async () => {
    const origin = await rawOrigin();
    const upstream = await runUpstream({ limits: { drain: '20ms' } });
    const connection = await client(upstream.port);
    await connection.exchange(connectTo(origin.authority));
    await upstream.close();
    await connection.closed();
    await origin.deserted();

    const other = await runUpstream();
    const second = await client(other.port);
    second.write(get((await rawOrigin(() => undefined)).authority));
    await other.kill();
    await second.closed();
  });
});

describe('what others see', () => {
  test('legs of both hops, redacted', async () => {
    const origin = await rawOrigin();
    const upstream = await runUpstream({ users: [ALICE] });
    const recorder = recordLegs((leg) => leg.by === upstream.pseudonym);
    closeLater(() => recorder.stop());
    const connection = await client(upstream.port);
    await connection.exchange(get(origin.authority));
    await connection.exchange(get(origin.authority, AS_ALICE, '/a?b'));
    const legs = recorder.legs();
    expect(legs.map(({ from, to, status, target }) => [from, to, status, target])).toEqual([
      ['client', 'upstream', 407, `http://${origin.authority}/`],
      ['upstream', 'origin', 200, '/a?b'],
      ['client', 'upstream', 200, `http://${origin.authority}/a?b`],
    ]);
    expect(legs[2]?.credentials?.fields).toEqual({ username: 'alice', password: '[secret]' });
    expect(legs[0]?.connection).toBe(legs[2]?.connection);
    expect(legs[1]?.exchange).toBe(legs[2]?.exchange);
  });

  test('one log line for each exchange, without a secret', async () => {
    const origin = await rawOrigin();
    const upstream = await runUpstream({ users: [ALICE] });
    const connection = await client(upstream.port);
    const wrong = `Proxy-Authorization: ${basic('alice:guessed it')}\r\n`;
    for (const fields of ['', wrong, AS_ALICE])
      await connection.exchange(get(origin.authority, fields, '/?token=t0ken'));
    while (upstream.lines.length < 3) await setImmediate();
    const lines = upstream.lines.map((line) => JSON.parse(line));
    expect(lines.map(({ status, user }) => [status, user])).toEqual([
      [407, undefined],
      [407, 'alice'],
      [200, 'alice'],
    ]);
    expect(lines[2]).toMatchObject({ client: '127.0.0.1', method: 'GET', target: `http://${origin.authority}/?…` });
    expect(upstream.lines.join('')).not.toMatch(/open sesame|guessed it|t0ken|Basic /);
  });

  test('numbers: open connections', async () => {
    const upstream = await runUpstream();
    const connections = await Promise.all([1, 2, 3].map(() => client(upstream.port)));
    for (const connection of connections) await connection.exchange('OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(upstream.connections).toBe(3);
    expect(upstream.url).toBe(`http://127.0.0.1:${upstream.port}`);
  });
});

test('a large body goes through in both directions unharmed while nobody reads faster than the other', async () => {
  const body = Buffer.alloc(4_000_000, 'abcdefg');
  const sha = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
  const origin = await rawOrigin((socket, text) => {
    const start = text.indexOf('\r\n\r\n') + 4;
    if (text.length - start !== body.length) return;
    socket.write(
      `HTTP/1.1 200 OK\r\nX-Sha: ${sha(Buffer.from(text.slice(start), 'latin1'))}\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    socket.write(body);
  });
  const { port } = await runUpstream();
  const connection = await client(port);
  connection.write(get(origin.authority, `Content-Length: ${body.length}\r\n`).replace('GET', 'PUT')).write(body);
  const answer = await connection.readResponse();
  expect(answer.headers).toContain(sha(body));
  expect(sha(answer.body)).toBe(sha(body));
});
