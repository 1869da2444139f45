import type { ClientExchange, GuardVerdict } from '@chain407/core';
import { explain, guardRequest, type Listener, malformed } from '@chain407/core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RawClient } from './raw.ts';
import { startListener } from './start-listener.ts';

/**
 * The guard behind Node's parser, as a tier has them. What is no request that can be read in exactly one way gets 400,
 * and whoever would forward it never sees it.
 */
let listener: Listener;
let seen: GuardVerdict[] = [];

function handle({ kind, req, res }: ClientExchange): void {
  const verdict = guardRequest(req, kind);
  if (verdict.ok) {
    seen.push(verdict);
    res.writeHead(200, ['Content-Length', '0', 'Connection', 'close']).end();
  } else explain(res, 't', malformed(400, verdict.why), { close: true });
}

beforeAll(async () => {
  listener = await startListener(handle);
});
afterAll(() => listener.kill());
beforeEach(() => {
  seen = [];
});

async function exchange(message: string): Promise<string> {
  const client = await RawClient.connect(listener.port);
  const answer = await client.write(message).toEnd();
  await client.destroy();
  return answer;
}

const GET = 'GET http://a/ HTTP/1.1\r\nHost: a\r\n';
const POST = 'POST http://a/ HTTP/1.1\r\nHost: a\r\n';
const CONNECT = 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n';

const BY_NODE = 'the request is not valid HTTP/1';
const LENGTH = 'a body whose length can be read in two ways';
const PORT = 'CONNECT needs host:port, with a port from 1 to 65535';
const HOST = 'Host names another place than the target';

const REFUSED: readonly (readonly [name: string, message: string, details: string])[] = [
  ['length and coding', `${POST}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, BY_NODE],
  ['two lengths', `${POST}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx`, BY_NODE],
  ['two equal lengths', `${POST}Content-Length: 1\r\nContent-Length: 1\r\n\r\nx`, BY_NODE],
  ['a length that is no number', `${POST}Content-Length: 1x\r\n\r\nx`, BY_NODE],
  ['a coding that is not chunked', `${POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, LENGTH],
  ['chunked before another coding', `${POST}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`, BY_NODE],
  ['chunked after another coding', `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, LENGTH],
  ['chunked after nothing', `${POST}Transfer-Encoding: , chunked\r\n\r\n0\r\n\r\n`, LENGTH],
  ['a folded line', `${GET}A: b\r\n c\r\n\r\n`, BY_NODE],
  ['a bare LF', `${GET}A: b\nC: d\r\n\r\n`, BY_NODE],
  ['a bare LF at the end of the head', `${GET}\n`, BY_NODE],
  ['a space before the colon', `${GET}A : b\r\n\r\n`, BY_NODE],
  ['a control character in the target', 'GET http://a/\x01 HTTP/1.1\r\nHost: a\r\n\r\n', BY_NODE],
  ['an 8-bit byte in the target', 'GET http://a/\xe9 HTTP/1.1\r\nHost: a\r\n\r\n', BY_NODE],
  ['no Host', 'GET http://a/ HTTP/1.1\r\n\r\n', 'no Host'],
  ['no Host on an Upgrade', 'GET http://a/ HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n', 'no Host'],
  ['two Host', `${GET}Host: a\r\n\r\n`, 'more than one Host'],
  ['two Host of any letter case', `${GET}hOST: b\r\n\r\n`, 'more than one Host'],
  [
    'two Proxy-Authorization',
    `${GET}Proxy-Authorization: Basic YTpi\r\nproxy-authorization: Basic Yzpk\r\n\r\n`,
    'more than one Proxy-Authorization',
  ],
  ['Host of another name', 'GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n', HOST],
  ['Host of another port', 'GET http://a/ HTTP/1.1\r\nHost: a:81\r\n\r\n', HOST],
  ['Host that is empty', 'GET http://a/ HTTP/1.1\r\nHost:\r\n\r\n', HOST],
  ['Host with userinfo', 'GET http://a/ HTTP/1.1\r\nHost: x@a\r\n\r\n', HOST],
  ['Host that is a list', 'GET http://a/ HTTP/1.1\r\nHost: a, b\r\n\r\n', HOST],
  [
    'chunked in HTTP/1.0',
    'POST http://a/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'chunked in an HTTP/1.0 request',
  ],
  ['HTTP/0.9', 'GET http://a/ HTTP/0.9\r\nHost: a\r\n\r\n', 'HTTP/0.9 in a request of HTTP/1'],
  ['HTTP/2.0', 'GET http://a/ HTTP/2.0\r\nHost: a\r\n\r\n', 'HTTP/2.0 in a request of HTTP/1'],
  ['CONNECT with a length', `${CONNECT}Content-Length: 1\r\n\r\nx`, 'CONNECT with a body'],
  ['CONNECT with a coding', `${CONNECT}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 'CONNECT with a body'],
  ['CONNECT without a port', 'CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n', PORT],
  ['CONNECT to port 0', 'CONNECT a:0 HTTP/1.1\r\nHost: a\r\n\r\n', PORT],
  ['CONNECT to port 65536', 'CONNECT a:65536 HTTP/1.1\r\nHost: a\r\n\r\n', PORT],
  ['CONNECT with userinfo', 'CONNECT x:y@a:443 HTTP/1.1\r\nHost: a\r\n\r\n', PORT],
  ['CONNECT with a URL', 'CONNECT http://a:443/ HTTP/1.1\r\nHost: a\r\n\r\n', PORT],
  [
    'a path, as a site gets it',
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    'this is a proxy: it needs the whole URL as the target (GET http://host/path); configure it as a proxy, not as a site',
  ],
];

describe('answers 400, and hands nothing on, for', () => {
  test.each(REFUSED)('%s', async (_name, message, details) => {
    const answer = await exchange(message);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer).toContain(`\r\nProxy-Status: t; error=http_request_error; details="${details}"\r\n`);
    expect(answer.toLowerCase()).toContain('\r\nconnection: close\r\n');
    expect(seen).toEqual([]);
  });

  test('an empty coding beside a length, be it that Node sees it before we do', async () => {
    const answer = await exchange(`${POST}Transfer-Encoding:\r\nContent-Length: 1\r\n\r\nx`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect([LENGTH, BY_NODE].filter((details) => answer.includes(`details="${details}"`))).toHaveLength(1);
    expect(seen).toEqual([]);
  });

  test('a bare LF in a chunk extension, as soon as it comes', async () => {
    const answer = await exchange(`${POST}Transfer-Encoding: chunked\r\n\r\n1;a\nx\r\n0\r\n\r\n`);
    // Its head was good: whoever handles it has begun, and sees it end. Nothing after it is read as a request.
    expect(seen).toHaveLength(1);
    expect(answer.split('HTTP/1.1 ')).toHaveLength(answer === '' ? 1 : 2);
  });
});

// The attack: what we refuse is followed by a request that nobody waits for, and that would be made all the same.
test.each([
  ['a request', `${GET}\r\n`],
  ['CONNECT', `${CONNECT}\r\n`],
  ['an Upgrade', `${GET}Connection: upgrade\r\nUpgrade: x\r\n\r\n`],
])('behind a refused request, %s is not begun', async (_name, message) => {
  const answer = await exchange(`${GET}Host: b\r\n\r\n${message}`);
  expect(answer.split('HTTP/1.1 ')).toHaveLength(2);
  expect(seen).toEqual([]);
});

// A refusal of which only half arrives explains nothing, and looks like a broken proxy.
test.each([
  ['a coding that is not chunked, and no chunks', `${POST}Transfer-Encoding: xchunked\r\n\r\nhello`],
  [
    'a target that is none, and a chunk size that is none',
    `${POST.replace('http://a', '')}Transfer-Encoding: chunked\r\n\r\nz`,
  ],
])('the page arrives whole, although what follows is malformed: %s', async (_name, message) => {
  const answer = await exchange(message);
  const [head = '', page = ''] = answer.split('\r\n\r\n');
  expect(head).toMatch(new RegExp(`^HTTP/1.1 400 [^]*\\r\\nContent-Length: ${page.length}(?:\\r|$)`));
});

describe('takes', () => {
  const NO_BODY = { kind: 'none' };
  test.each([
    ['a plain request', `${GET}\r\n`, { target: { form: 'absolute' }, body: NO_BODY }],
    ['a length', `${POST}Content-Length: 1\r\n\r\nx`, { body: { kind: 'length', length: 1 } }],
    ['a length of zero', `${POST}Content-Length: 0\r\n\r\n`, { body: NO_BODY }],
    ['chunks', `${POST}Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n`, { body: { kind: 'chunked' } }],
    ['Host in another letter case', 'GET http://A.B/ HTTP/1.1\r\nHost: a.b\r\n\r\n', { target: { host: 'a.b' } }],
    ['Host with the default port', 'GET http://a/ HTTP/1.1\r\nHost: a:80\r\n\r\n', { target: { port: 80 } }],
    ['Host without the default port', 'GET http://a:80/ HTTP/1.1\r\nHost: a\r\n\r\n', { target: { port: 80 } }],
    ['Host without userinfo', 'GET http://x:y@a/ HTTP/1.1\r\nHost: a\r\n\r\n', { target: { absolute: 'http://a/' } }],
    ['CONNECT without Host', 'CONNECT a:443 HTTP/1.1\r\n\r\n', { target: { host: 'a', port: 443 } }],
    ['HTTP/1.0 without Host', 'GET http://a/ HTTP/1.0\r\n\r\n', { target: { host: 'a' } }],
    ['CONNECT', `${CONNECT}\r\n`, { target: { form: 'authority', host: 'a', port: 443 } }],
    ['CONNECT whose Host has no port', 'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n', { target: { port: 443 } }],
    ['CONNECT with a length of zero', `${CONNECT}Content-Length: 0\r\n\r\n`, { body: NO_BODY }],
    ['Upgrade', `${GET}Connection: upgrade\r\nUpgrade: x\r\n\r\n`, { target: { form: 'absolute' } }],
    ['OPTIONS *', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', { target: { form: 'asterisk' } }],
  ])('%s', async (_name, message, verdict) => {
    expect(await exchange(message)).toMatch(/^HTTP\/1\.1 200 /);
    expect(seen).toMatchObject([{ ok: true, ...verdict }]);
  });
});

test('whatever it is given, the guard gives a verdict', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('Host', 'Content-Length', 'Transfer-Encoding', 'http://a/', 'a:1', '*', '1.1'),
  );
  const headers = fc.array(fc.tuple(text, text), { maxLength: 4 }).map((pairs) => pairs.flat());
  const request = fc.record({ method: text, url: text, httpVersion: text, rawHeaders: headers });
  const kinds = fc.constantFrom('request', 'connect', 'upgrade');
  fc.assert(
    fc.property(request, kinds, (facts, kind) => typeof guardRequest(facts, kind).ok === 'boolean'),
    { seed: 407, numRuns: 2000 },
  );
});
