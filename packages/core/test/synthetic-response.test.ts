import type { ClientExchange, Explanation } from '@chain407/core';
import { explain, malformed, proxyStatus, synthesize, valuesOf } from '@chain407/core';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RawClient } from './raw.ts';
import { startListener } from './start-listener.ts';

const PLAIN: Explanation = {
  status: 407,
  error: 'http_request_denied',
  details: 'credentials missing',
  symptom: 'The symptom.',
  cause: 'The cause.',
  remedy: 'The remedy.',
  challenges: ['Basic realm="a"', 'NTLM'],
};

/** A reader of sf-items that owes nothing to our writer (RFC 8941 §4.2): the bare item and its parameters. */
function readItem(text: string): { item: string; params: Record<string, string> } {
  const bare = /(?:"((?:[ !#-[\]-~]|\\["\\])*)"|([A-Za-z*][!#$%&'*+.^_`|~:/\w-]*))/y;
  const key = /; *([a-z*][a-z0-9_.*-]*)=/y;
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) throw new Error(`no sf-item at ${at}: ${text}`);
    at = pattern.lastIndex;
    return match;
  };
  const value = (): string => {
    const [, quoted, token = ''] = take(bare);
    return quoted?.replace(/\\(.)/g, '$1') ?? token;
  };
  const item = value();
  const params: Record<string, string> = {};
  while (at < text.length) params[take(key)[1] as string] = value();
  return { item, params };
}

describe('Proxy-Status', () => {
  test.each([
    ['who, which error and why', 'downstream', PLAIN, {}],
    ['the next hop', 'upstream', { ...PLAIN, nextHop: 'origin.test:80' }, { 'next-hop': 'origin.test:80' }],
    ['quotes and backslashes', 't', { ...PLAIN, details: 'a "b" \\c' }, { details: 'a "b" \\c' }],
    ['no line end', 't', { ...PLAIN, details: 'a\r\nSet-Cookie: b' }, { details: 'a??Set-Cookie: b' }],
    [
      'nothing beyond ASCII',
      't',
      { ...PLAIN, details: 'é€😀\x7f', nextHop: '\0' },
      { details: '?????', 'next-hop': '?' },
    ],
    ['a tier whose name is no token', 'my proxy', PLAIN, {}],
  ])('holds %s, and is an sf-item', (_name, tier, explanation, params) => {
    expect(readItem(proxyStatus(tier, explanation))).toEqual({
      item: tier,
      params: { error: 'http_request_denied', details: 'credentials missing', ...params },
    });
  });

  test('is an sf-item whatever is in it', () => {
    const text = fc.string({ unit: 'binary' });
    const isItem = (tier: string, details: string, nextHop: string): void => {
      const { params } = readItem(proxyStatus(tier, { ...PLAIN, details, nextHop }));
      expect(Object.keys(params)).toEqual(['error', 'next-hop', 'details']);
    };
    fc.assert(fc.property(text, text, text, isItem), { seed: 407, numRuns: 1000 });
  });
});

const HTML = 'text/html; charset=utf-8';
const TEXT = 'text/plain; charset=utf-8';

describe('the page is what the client asks for', () => {
  test.each([
    ['nothing', undefined, TEXT],
    ['an empty Accept', '', TEXT],
    ["curl's wildcard", '*/*', TEXT],
    ['a range', 'text/*', TEXT],
    ["a browser's list", 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', HTML],
    ['any letter case', 'TEXT/HTML', HTML],
    ['a parameter', 'application/json, text/html; charset=utf-8', HTML],
    ['plain text', 'text/plain', TEXT],
    ['plain text rather than HTML', 'text/html;q=0.5, text/plain', TEXT],
    ['HTML rather than plain text', 'text/plain;q=0.5, text/html;level=1;q=0.6', HTML],
    ['no HTML', 'text/html;q=0, */*', TEXT],
    ['a quality that is none', 'text/html;q=x', TEXT],
    ['another type whose name holds it', 'application/x-text/html', TEXT],
    ['JSON', 'application/json', TEXT],
  ])('%s', (_name, accept, type) => {
    const { headers, body } = synthesize('t', PLAIN, accept);
    expect(valuesOf(headers, 'content-type')).toEqual([type]);
    expect(body.startsWith('<!doctype html>')).toBe(type === HTML);
    for (const text of ['407 Proxy Authentication Required', 'The symptom.', 'The cause.', 'The remedy.']) {
      expect(body).toContain(text);
    }
  });
});

test('hostile text is text in a page, wherever it stands', () => {
  const hostile = `<script>alert('1')</script>"&amp;<img src=x onerror='y'>`;
  const { body } = synthesize(hostile, { ...PLAIN, symptom: hostile, cause: hostile, remedy: hostile }, 'text/html');
  const { body: harmless } = synthesize('x', { ...PLAIN, symptom: 'x', cause: 'x', remedy: 'x' }, 'text/html');
  const tags = (page: string): string[] => page.match(/<[^>]*>/g) ?? [];
  expect(tags(body)).toEqual(tags(harmless));
  expect(body.split('&#60;script&#62;alert(&#39;1&#39;)&#60;/script&#62;&#34;&#38;amp;')).toHaveLength(5);
});

test('every challenge is a line of its own, and comes first', () => {
  const { headers } = synthesize('t', PLAIN, undefined);
  expect(headers.slice(0, 4)).toEqual(['Proxy-Authenticate', 'Basic realm="a"', 'Proxy-Authenticate', 'NTLM']);
});

test('the length is that of the bytes', () => {
  const { headers, body } = synthesize('t', { ...PLAIN, cause: 'é€😀' }, 'text/html');
  expect(valuesOf(headers, 'content-length')).toEqual([String(Buffer.from(body).length)]);
  expect(Buffer.from(body).length).toBeGreaterThan(body.length);
});

test('Retry-After is there where it is known', () => {
  expect(valuesOf(synthesize('t', PLAIN, undefined).headers, 'retry-after')).toEqual([]);
  expect(valuesOf(synthesize('t', { ...PLAIN, retryAfter: 90 }, undefined).headers, 'retry-after')).toEqual(['90']);
});

test('no cache keeps a response of ours', () => {
  expect(valuesOf(synthesize('t', PLAIN, undefined).headers, 'cache-control')).toEqual(['no-store']);
});

describe('on the wire', () => {
  async function answerTo(message: string, handle: (exchange: ClientExchange) => void): Promise<string> {
    const listener = await startListener(handle);
    const client = await RawClient.connect(listener.port);
    const answer = await client.write(message).toEnd();
    await client.destroy();
    await listener.kill();
    return answer;
  }

  test.each([
    ['GET', 'GET http://a/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', true],
    ['HEAD', 'HEAD http://a/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', false],
    ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', true],
    ['CONNECT in HTTP/1.0', 'CONNECT a:1 HTTP/1.0\r\n\r\n', true],
  ])('%s gets the head, and a body where it has one', async (_name, message, hasBody) => {
    const answer = await answerTo(message, ({ res }) => explain(res, 't', PLAIN));
    expect(answer).toMatch(/^HTTP\/1\.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="a"\r\n/);
    const length = Number(/Content-Length: (\d+)/.exec(answer)?.[1]);
    const body = answer.slice(answer.indexOf('\r\n\r\n') + 4);
    expect([length > 0, body.length]).toEqual([true, hasBody ? length : 0]);
  });

  test('a client that still sends gets the whole answer before the connection closes', async () => {
    const listener = await startListener(({ res }) => explain(res, 't', PLAIN, { close: true }));
    const client = await RawClient.connect(listener.port);
    client.write('POST http://a/ HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n');
    expect(await client.until('made by t.\n')).toMatch(/^HTTP\/1\.1 407 /);
    client.write(Buffer.alloc(300_000));
    expect(await client.toEnd()).toBe('');
    await client.destroy();
    await listener.kill();
  });

  test('where a response has begun the connection is cut, and nothing is put into it', async () => {
    const answer = await answerTo('GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n', ({ res }) => {
      res.writeHead(200, ['Content-Length', '9']).write('begun', () => {
        expect(explain(res, 't', PLAIN)).toBeUndefined();
      });
    });
    expect(answer).toMatch(/\r\n\r\nbegun$/);
  });

  test.each(['a\r\nSet-Cookie: b', 'a\nb', 'a\0'])(
    'a challenge that would be a field of its own is not sent: %j',
    async (challenge) => {
      let thrown: unknown;
      const answer = await answerTo('GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n', ({ res }) => {
        try {
          explain(res, 't', { ...PLAIN, challenges: [challenge] });
        } catch (error) {
          thrown = error;
          res.destroy();
        }
      });
      expect(thrown).toMatchObject({ code: 'ERR_INVALID_CHAR' });
      expect(answer).toBe('');
    },
  );
});

test('what cannot be taken as it stands is explained with its status', () => {
  expect(malformed(431, 'the request head is too large')).toMatchObject({
    status: 431,
    error: 'http_request_error',
    cause: expect.stringContaining('the request head is too large'),
  });
});
