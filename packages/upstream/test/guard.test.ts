import { rawExchange } from '@chain407/testkit';
import { afterEach, describe, expect, test } from '@jest/globals';
import { answering, OK, rawOrigin } from './raw-origin.ts';
import { cleanUp, runUpstream } from './running-upstream.ts';

afterEach(cleanUp);

/** `A` is the origin's authority. */
const BAD: readonly (readonly [what: string, message: string])[] = [
  ['two Host', 'GET http://A/ HTTP/1.1\r\nHost: A\r\nHost: b\r\n\r\n'],
  [
    'two Proxy-Authorization',
    'GET http://A/ HTTP/1.1\r\nHost: A\r\nProxy-Authorization: Basic YTpi\r\nProxy-Authorization: Basic YTpj\r\n\r\n',
  ],
  ['Host that disagrees with the target', 'GET http://A/ HTTP/1.1\r\nHost: b\r\n\r\n'],
  ['Host with another port than the target', 'GET http://A/ HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n'],
  ['chunked in HTTP/1.0', 'POST http://A/ HTTP/1.0\r\nHost: A\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['CONNECT with a length', 'CONNECT A HTTP/1.1\r\nHost: A\r\nContent-Length: 3\r\n\r\nabc'],
  ['CONNECT with chunks', 'CONNECT A HTTP/1.1\r\nHost: A\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['CONNECT without a port', 'CONNECT 127.0.0.1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'],
  ['CONNECT to port 0', 'CONNECT 127.0.0.1:0 HTTP/1.1\r\nHost: 127.0.0.1:0\r\n\r\n'],
  ['CONNECT to port 65536', 'CONNECT 127.0.0.1:65536 HTTP/1.1\r\nHost: 127.0.0.1:65536\r\n\r\n'],
  ['CONNECT to a URL', 'CONNECT http://A/ HTTP/1.1\r\nHost: A\r\n\r\n'],
  ['origin-form', 'GET / HTTP/1.1\r\nHost: A\r\n\r\n'],
  ['another scheme', 'GET ftp://A/ HTTP/1.1\r\nHost: A\r\n\r\n'],
  [
    'length and chunked',
    'POST http://A/ HTTP/1.1\r\nHost: A\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['two lengths', 'POST http://A/ HTTP/1.1\r\nHost: A\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na'],
  ['an odd transfer coding', 'POST http://A/ HTTP/1.1\r\nHost: A\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
  [
    'chunked that is not last',
    'POST http://A/ HTTP/1.1\r\nHost: A\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n',
  ],
  ['obs-fold', 'GET http://A/ HTTP/1.1\r\nHost: A\r\nX: a\r\n b\r\n\r\n'],
  ['a bare LF', 'GET http://A/ HTTP/1.1\nHost: A\n\n'],
  ['a space before the colon', 'GET http://A/ HTTP/1.1\r\nHost: A\r\nX : a\r\n\r\n'],
  ['no Host', 'GET http://A/ HTTP/1.1\r\nX: a\r\n\r\n'],
  ['a control character in the target', 'GET http://A/\x01 HTTP/1.1\r\nHost: A\r\n\r\n'],
  ['an 8-bit character in the target', 'GET http://A/\xe9 HTTP/1.1\r\nHost: A\r\n\r\n'],
];

describe('the request guard', () => {
  test.each(BAD)('refuses %s with 400, closes, and sends nothing on', async (_what, message) => {
    const origin = await rawOrigin();
    const { port } = await runUpstream();
    const answer = await rawExchange(
      port,
      message.replaceAll('A', (a, at: number) => authorityAt(message, at, a, origin.authority)),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer).toMatch(/^connection: close\r$/im);
    // The next hop has seen this one and no other.
    await rawExchange(port, good(origin.authority), { until: 'ok' });
    expect(origin.received.split('\r\n')[0]).toBe('GET /good HTTP/1.1');
    expect(origin.accepted).toBe(1);
  });

  test('says that it is a proxy where it is asked as if it were a site', async () => {
    const { port } = await runUpstream();
    expect(await rawExchange(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')).toContain('this is a proxy');
  });

  test('a line feed in a chunk extension cuts the request off before its body has reached the next hop', async () => {
    const origin = await rawOrigin(() => undefined);
    const { port } = await runUpstream();
    const head = `POST http://${origin.authority}/ HTTP/1.1\r\nHost: ${origin.authority}\r\nTransfer-Encoding: chunked\r\n\r\n`;
    await rawExchange(port, `${head}6;a\nb\r\nsecret\r\n0\r\n\r\n`);
    await rawExchange(port, good(origin.authority).replace('/good', '/next'), { until: /^/ });
    await origin.receives('/next');
    expect(origin.received).not.toContain('secret');
  });

  // The attack: 1000 fields hide a Content-Length from whoever reads `rawHeaders`, but not from the parser. Were it not
  // forwarded, the body would be the next request on the connection to the origin.
  test('a Content-Length behind a thousand fields is still seen', async () => {
    const origin = await rawOrigin(answering(OK));
    const { port } = await runUpstream({ limits: { headerCount: 2000 } });
    const inner = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
    const filler = 'a: b\r\n'.repeat(1500);
    const head = `GET http://${origin.authority}/ HTTP/1.1\r\nHost: ${origin.authority}\r\n${filler}Content-Length: ${inner.length}\r\n\r\n`;
    await rawExchange(port, head + inner, { until: 'ok' });
    expect(origin.received).toContain(`Content-Length: ${inner.length}\r\n`);
  });

  // The attack: a field that Connection names is dropped by the next hop, and with it the length of the body.
  test('Connection cannot take the length of a body away', async () => {
    const origin = await rawOrigin(answering(OK));
    const { port } = await runUpstream();
    const inner = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
    const head = `GET http://${origin.authority}/ HTTP/1.1\r\nHost: ${origin.authority}\r\nConnection: Content-Length, Host\r\nContent-Length: ${inner.length}\r\n\r\n`;
    await rawExchange(port, head + inner, { until: 'ok' });
    expect(origin.received).toContain(`Content-Length: ${inner.length}\r\n`);
    expect(origin.received).toContain(`Host: ${origin.authority}\r\n`);
  });

  test.each([
    ['a head that is too large', `X: ${'a'.repeat(20_000)}\r\n`, 431],
    ['a head that does not come in time', '', 408],
  ])('%s gets its own status', async (_what, field, status) => {
    const { port } = await runUpstream({ limits: { headerSize: '8KiB', headerTimeout: '100ms' } });
    const end = field === '' ? '' : '\r\n';
    expect(await rawExchange(port, `GET http://a/ HTTP/1.1\r\nHost: a\r\n${field}${end}`)).toMatch(
      new RegExp(`^HTTP/1\\.1 ${status} `),
    );
  });
});

const good = (authority: string): string => `GET http://${authority}/good HTTP/1.1\r\nHost: ${authority}\r\n\r\n`;

/** `A` stands for the authority where it is alone. */
function authorityAt(message: string, at: number, a: string, authority: string): string {
  const [before = '', after = ''] = [message[at - 1], message[at + 1]];
  return /[\w-]/.test(before) || /[\w-]/.test(after) ? a : authority;
}
