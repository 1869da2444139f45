import { rawExchange } from '@chain407/testkit';
import { afterEach, describe, expect, test } from '@jest/globals';
import { cleanUp, client, eventually, fieldOf, get, request, run, scripted } from './support.ts';

afterEach(cleanUp);

const HOST = 'Host: o.test\r\n';

const BAD: readonly (readonly [what: string, message: string])[] = [
  ['two Host', `GET http://o.test/ HTTP/1.1\r\n${HOST}Host: b\r\n\r\n`],
  ['the same Host twice', `GET http://o.test/ HTTP/1.1\r\n${HOST}${HOST}\r\n`],
  [
    'two Proxy-Authorization',
    `GET http://o.test/ HTTP/1.1\r\n${HOST}Proxy-Authorization: Basic YTpi\r\nProxy-Authorization: Basic YTpj\r\n\r\n`,
  ],
  [
    'two Proxy-Authorization on CONNECT',
    `CONNECT o.test:443 HTTP/1.1\r\n${HOST}Proxy-Authorization: Basic YTpi\r\nproxy-authorization: Basic YTpj\r\n\r\n`,
  ],
  ['Host that disagrees with the target', 'GET http://o.test/ HTTP/1.1\r\nHost: b\r\n\r\n'],
  ['Host with another port than the target', 'GET http://o.test/ HTTP/1.1\r\nHost: o.test:81\r\n\r\n'],
  ['no Host', 'GET http://o.test/ HTTP/1.1\r\nX: a\r\n\r\n'],
  ['chunked in HTTP/1.0', `POST http://o.test/ HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['CONNECT with a length', `CONNECT o.test:443 HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\nabc`],
  ['CONNECT with chunks', `CONNECT o.test:443 HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['CONNECT without a port', `CONNECT o.test HTTP/1.1\r\n${HOST}\r\n`],
  ['CONNECT to port 0', `CONNECT o.test:0 HTTP/1.1\r\n${HOST}\r\n`],
  ['CONNECT to port 65536', `CONNECT o.test:65536 HTTP/1.1\r\n${HOST}\r\n`],
  ['CONNECT to no port', `CONNECT o.test:http HTTP/1.1\r\n${HOST}\r\n`],
  ['CONNECT to a URL', `CONNECT http://o.test/ HTTP/1.1\r\n${HOST}\r\n`],
  ['origin-form', `GET / HTTP/1.1\r\n${HOST}\r\n`],
  ['an asterisk with GET', `GET * HTTP/1.1\r\n${HOST}\r\n`],
  ['another scheme', `GET ftp://o.test/ HTTP/1.1\r\n${HOST}\r\n`],
  ['no host in the target', 'GET http:/// HTTP/1.1\r\nHost:\r\n\r\n'],
  [
    'length and chunked',
    `POST http://o.test/ HTTP/1.1\r\n${HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  ['two lengths', `POST http://o.test/ HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`],
  ['a length that is no number', `POST http://o.test/ HTTP/1.1\r\n${HOST}Content-Length: +1\r\n\r\na`],
  ['an odd transfer coding', `POST http://o.test/ HTTP/1.1\r\n${HOST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
  ['chunked that is not last', `POST http://o.test/ HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked, x\r\n\r\n0\r\n\r\n`],
  ['obs-fold', `GET http://o.test/ HTTP/1.1\r\n${HOST}X: a\r\n b\r\n\r\n`],
  ['a bare LF', 'GET http://o.test/ HTTP/1.1\nHost: o.test\n\n'],
  ['a space before the colon', `GET http://o.test/ HTTP/1.1\r\n${HOST}X : a\r\n\r\n`],
  ['a control character in the target', `GET http://o.test/\x01 HTTP/1.1\r\n${HOST}\r\n`],
  ['an 8-bit character in the target', `GET http://o.test/\xe9 HTTP/1.1\r\n${HOST}\r\n`],
];

describe.each([['substitute'], ['relay'], ['none']] as const)('the request guard, identity %s', (identity) => {
  test.each(BAD)('refuses %s with 400, closes, and tells the upstream nothing', async (_what, message) => {
    const upstream = await scripted();
    const downstream = await run({ upstreams: [upstream.port], identity });
    const answer = await rawExchange(downstream.port, message);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer).toMatch(/^connection: close\r$/im);
    // The upstream has seen this one and no other.
    await (await client(downstream.port)).exchange(get('http://origin.test/good'));
    expect(new Set(upstream.requests.map(({ target }) => target))).toEqual(new Set(['http://origin.test/good']));
    await eventually(() => downstream.connections === 1);
  });
});

test('a line feed in a chunk extension cuts the request off before its body has reached the upstream', async () => {
  const upstream = await scripted({ accept: () => 'accept' });
  const { port } = await run({ upstreams: [upstream.port], identity: 'none' });
  await rawExchange(
    port,
    `${request('POST', 'http://o.test/', 'Transfer-Encoding: chunked')}6;a\nb\r\nsecret\r\n0\r\n\r\n`,
  );
  expect(upstream.requests.filter(({ body, complete }) => complete || body.length > 0)).toEqual([]);
});

describe('what is let through is made unambiguous', () => {
  test.each<[what: string, message: string, target: string, host: string]>([
    ['userinfo goes', `GET http://bob:b@o.test/a HTTP/1.1\r\n${HOST}\r\n`, 'http://o.test/a', 'o.test'],
    [
      'Host is made from the target',
      'GET http://o.test:80/ HTTP/1.1\r\nHOST: O.TEST\r\n\r\n',
      'http://o.test:80/',
      'o.test:80',
    ],
    [
      'a path stays as it is',
      `GET http://o.test/a//b/../c HTTP/1.1\r\n${HOST}\r\n`,
      'http://o.test/a//b/../c',
      'o.test',
    ],
    ['so does a target in HTTP/1.0 without Host', 'GET http://o.test/ HTTP/1.0\r\n\r\n', 'http://o.test/', 'o.test'],
  ])('%s', async (_what, message, target, host) => {
    const upstream = await scripted({ accept: () => 'accept' });
    const { port } = await run({ upstreams: [upstream.port] });
    expect(await rawExchange(port, message, { until: '\r\n\r\n' })).toMatch(/^HTTP\/1\.1 200 /);
    expect(
      upstream.requests.map((seen) => [seen.target, seen.headers.filter(([name]) => /^host$/i.test(name))]),
    ).toEqual([[target, [['Host', host]]]]);
  });
});

test('a client that is asked as a site is told that it speaks to a proxy', async () => {
  const connection = await client((await run()).port);
  const answer = await connection.exchange(`GET / HTTP/1.1\r\n${HOST}\r\n`);
  expect(answer.body.toString()).toContain('this is a proxy');
  expect(fieldOf(answer, 'proxy-status')).toContain('http_request_error');
});

test('https in a target on a direct route is sent to CONNECT', async () => {
  const connection = await client((await run()).port);
  const answer = await connection.exchange(get('https://127.0.0.1/'));
  expect(answer.status).toBe(400);
  expect(answer.body.toString()).toContain('CONNECT');
});
