import { inspect } from 'node:util';
import type { ClientExchange, Leg, LegFacts } from '@chain407/core';
import {
  createLogger,
  credentialsOf,
  ExchangeRecord,
  outcomeOf,
  publishLeg,
  redactHeaders,
  subscribeLegs,
} from '@chain407/core';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { RawClient } from './raw.ts';
import { startListener } from './start-listener.ts';

const PASSWORD = 'correct-horse:battery';
const base64 = (text: string): string => Buffer.from(text).toString('base64');
/** However its bytes fall into groups of three. */
const SECRETS = [
  PASSWORD,
  base64(PASSWORD),
  base64(`alice:${PASSWORD}`),
  base64(`al:${PASSWORD}`),
  encodeURIComponent(PASSWORD),
];

function expectNoSecret(shown: unknown): void {
  const text =
    typeof shown === 'string' ? shown : JSON.stringify(shown) + inspect(shown, { depth: null, showHidden: true });
  expect(SECRETS.filter((secret) => text.includes(secret))).toEqual([]);
}

let legs: Leg[] = [];
let unsubscribe = (): void => undefined;
beforeEach(() => {
  legs = [];
  unsubscribe = subscribeLegs((leg) => legs.push(leg));
});
afterEach(() => unsubscribe());

const FACTS: LegFacts = {
  ...{ by: 'downstream-1', from: 'downstream', to: 'corp', exchange: 'd1', connection: 'c1', at: 1, ms: 2 },
  ...{ method: 'GET', target: 'http://a/', requestHeaders: [], responseHeaders: [], status: 200 },
};

describe('a leg shows no secret', () => {
  test.each([
    [
      'Basic',
      `Basic ${base64(`alice:${PASSWORD}`)}`,
      { scheme: 'Basic', fields: { username: 'alice', password: '[secret]' } },
    ],
    ['Basic in any letter case', `bAsIc ${base64(`al:${PASSWORD}`)}`, { scheme: 'Basic' }],
    ['Basic without a colon', `Basic ${base64(PASSWORD.replace(':', ''))}`, { scheme: 'Basic' }],
    ['Basic that is no base64', `Basic ${PASSWORD}`, {}],
    ['Basic with parameters', `Basic password="${PASSWORD}"`, {}],
    ['Bearer', `Bearer ${base64(PASSWORD)}`, { scheme: 'Bearer' }],
    ['a scheme that nobody knows', `Horse ${base64(PASSWORD)}`, { scheme: 'horse' }],
    ['a scheme that nobody knows, with parameters', `Horse password="${PASSWORD}"`, {}],
    ['the password alone', PASSWORD, {}],
    ['nothing', '', {}],
  ])('in Proxy-Authorization: %s', (_name, value, described) => {
    publishLeg(() => ({ ...FACTS, requestHeaders: ['proxy-authorization', value, 'A', 'b'] }));
    expect(legs).toHaveLength(1);
    expect(legs[0]?.requestHeaders).toEqual(['proxy-authorization', '[secret]', 'A', 'b']);
    expect(legs[0]?.credentials).toMatchObject(
      'scheme' in described
        ? { ...described, scheme: expect.stringMatching(new RegExp(`^${described.scheme}$`, 'i')) }
        : {},
    );
    expectNoSecret(legs);
  });

  test.each(['Authorization', 'COOKIE', 'Proxy-Authorization'])(
    'in %s of the request, also where it is repeated',
    (name) => {
      const requestHeaders = [name, PASSWORD, 'A', 'b', name.toLowerCase(), base64(PASSWORD)];
      publishLeg(() => ({ ...FACTS, requestHeaders }));
      expect(legs[0]?.requestHeaders).toEqual([name, '[secret]', 'A', 'b', name.toLowerCase(), '[secret]']);
      expectNoSecret(legs);
    },
  );

  test('in Set-Cookie of the response', () => {
    publishLeg(() => ({ ...FACTS, responseHeaders: ['Set-Cookie', PASSWORD, 'set-cookie', PASSWORD] }));
    expect(legs[0]?.responseHeaders).toEqual(['Set-Cookie', '[secret]', 'set-cookie', '[secret]']);
    expectNoSecret(legs);
  });
});

test('a leg without credentials says of none', () => {
  publishLeg(() => FACTS);
  expect(legs).toEqual([FACTS]);
  expect(credentialsOf(['Authorization', 'Basic YTpi'])).toBeUndefined();
});

test('facts are not asked for while nobody listens', () => {
  unsubscribe();
  publishLeg(() => {
    throw new Error('asked');
  });
  expect(legs).toEqual([]);
});

test('redacting leaves names, order and harmless values', () => {
  const headers = ['Cookie-Not', 'a', 'Proxy-Authenticate', 'Basic realm="x"', 'cookie', ''];
  expect(redactHeaders(headers)).toEqual([...headers.slice(0, 5), '[secret]']);
});

test.each([
  [200, ['Proxy-Authenticate', 'Basic realm="x"'], '200'],
  [407, [], '407'],
  [
    407,
    ['Proxy-Authenticate', 'Basic realm="x", NTLM', 'proxy-authenticate', 'digest realm="y", nonce="z"'],
    '407 Basic, NTLM, Digest',
  ],
])('%d with %j is told as %s', (status, headers, told) => {
  expect(outcomeOf(status, headers)).toBe(told);
});

describe('the record of an exchange', () => {
  async function record(
    message: string,
    use: (record: ExchangeRecord) => void = () => undefined,
  ): Promise<Record<string, unknown>> {
    let line = '';
    const logger = createLogger('info', {
      write: (text) => {
        line += text;
      },
    });
    const handle = (exchange: ClientExchange): void => {
      const kept = new ExchangeRecord(exchange, 'downstream', 'downstream-1');
      use(kept);
      kept.answered({ status: 200, headers: ['Set-Cookie', PASSWORD] });
      kept.log(logger);
      exchange.res.writeHead(200, ['Content-Length', '0', 'Connection', 'close']).end();
    };
    const listener = await startListener(handle);
    const client = await RawClient.connect(listener.port);
    await client.write(message).toEnd();
    await client.destroy();
    await listener.kill();
    expectNoSecret(line);
    expectNoSecret(legs);
    return JSON.parse(line) as Record<string, unknown>;
  }

  test.each([
    ['a URL with userinfo', `GET http://alice:${PASSWORD}@a/b?q=1 HTTP/1.1`, 'http://a/b?…', 'http://a/b?q=1'],
    ['a URL with an at sign in its userinfo', `GET http://alice@x:${PASSWORD}@a/ HTTP/1.1`, 'http://a/', 'http://a/'],
    [
      'a query, which only the log leaves out',
      'GET http://a/?token=x?y HTTP/1.1',
      'http://a/?…',
      'http://a/?token=x?y',
    ],
    ['an at sign in a path', 'GET http://a/b@c HTTP/1.1', 'http://a/b@c', 'http://a/b@c'],
    ['CONNECT', 'CONNECT a:443 HTTP/1.1', 'a:443', 'a:443'],
    ['CONNECT with userinfo', `CONNECT alice:${PASSWORD}@a:443 HTTP/1.1`, 'a:443', 'a:443'],
    ['a path', 'GET /b@c HTTP/1.1', '/b@c', '/b@c'],
  ])('shows of %s', async (_name, requestLine, logged, published) => {
    const fields = `Host: a\r\nProxy-Authorization: Basic ${base64(`alice:${PASSWORD}`)}\r\n`;
    expect(await record(`${requestLine}\r\n${fields}\r\n`)).toMatchObject({ target: logged, status: 200 });
    expect(legs).toMatchObject([{ from: 'client', to: 'downstream', target: published, status: 200 }]);
  });

  test('tells the legs in their order, and facts by their last word', async () => {
    const leg = { to: 'corp', connection: 'c1', at: 1, ms: 1, method: 'GET', target: 'http://a/' };
    const requestHeaders = ['Proxy-Authorization', `Basic ${base64(PASSWORD)}`];
    const line = await record('GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n', (kept) => {
      kept.note({ user: 'bob', via: 'corp' });
      kept.note({ user: 'alice' });
      kept.sent({ ...leg, headers: () => [], result: { code: 'ECONNRESET' } });
      kept.sent({ ...leg, headers: () => [], result: { status: 407, headers: ['Proxy-Authenticate', 'NTLM'] } });
      kept.sent({ ...leg, headers: () => requestHeaders, result: { status: 200, headers: [] } });
    });
    expect(line).toMatchObject({ user: 'alice', via: 'corp', legs: ['ECONNRESET', '407 NTLM', '200'] });
    expect(legs.map(({ status, error }) => status ?? error)).toEqual(['ECONNRESET', 407, 200, 200]);
    expect(new Set(legs.map(({ exchange }) => exchange))).toEqual(new Set([line.exchange]));
  });
});
