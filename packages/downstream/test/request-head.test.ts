import { parseCredentials } from '@chain407/auth';
import type { RequestTarget } from '@chain407/core';
import { formatHead, parseConnectTarget, parseForwardTarget } from '@chain407/core';
import { describe, expect, test } from '@jest/globals';
import type { HeadFacts } from '../src/negotiation/request-head.ts';
import { authorizationText, requestHeaders, targetText } from '../src/negotiation/request-head.ts';
import { GOOD } from './support.ts';

function target(url: string, method = 'GET'): RequestTarget {
  const parsed = method === 'CONNECT' ? parseConnectTarget(url) : parseForwardTarget(method, url);
  if (!parsed.ok) throw new TypeError(parsed.why);
  return parsed.target;
}

const facts = (changes: Partial<HeadFacts> = {}): HeadFacts => ({
  kind: 'request',
  target: target('http://origin.test/a'),
  headers: ['Host', 'origin.test'],
  body: { kind: 'none' },
  via: '1.1 me',
  direct: false,
  standIn: false,
  ...changes,
});

describe('the target on the wire', () => {
  test.each<[method: string, url: string, upstream: string, direct: string]>([
    ['GET', 'http://origin.test/a//b/../c?x=%20', 'http://origin.test/a//b/../c?x=%20', '/a//b/../c?x=%20'],
    ['GET', 'http://origin.test', 'http://origin.test/', '/'],
    ['GET', 'http://alice:secret@origin.test:8080/', 'http://origin.test:8080/', '/'],
    ['OPTIONS', 'http://origin.test', 'http://origin.test', '*'],
    ['OPTIONS', '*', '*', '*'],
    ['CONNECT', 'origin.test:443', 'origin.test:443', 'origin.test:443'],
  ])('%s %s', (method, url, upstream, direct) => {
    expect(targetText(target(url, method), false)).toBe(upstream);
    expect(targetText(target(url, method), true)).toBe(direct);
  });
});

describe('the fields of a request', () => {
  const START = ['Host', 'origin.test'];
  const END = ['Via', '1.1 me'];

  test.each<[what: string, changes: Partial<HeadFacts>, authorization: string | undefined, fields: readonly string[]]>([
    ['nothing of its own but Host and Via', {}, undefined, [...START, ...END]],
    [
      'order, case and repeats as they came',
      { headers: ['x-B', '2', 'HOST', 'origin.test', 'X-a', '1', 'x-b', '3'] },
      undefined,
      [...START, 'x-B', '2', 'X-a', '1', 'x-b', '3', ...END],
    ],
    [
      'Host is that of the target',
      { headers: ['Host', 'other.test'], target: target('http://origin.test:8080/') },
      undefined,
      ['Host', 'origin.test:8080', ...END],
    ],
    [
      'no field of the connection',
      {
        headers: [
          'Connection',
          'X-One, keep-alive',
          'X-One',
          '1',
          'Keep-Alive',
          '1',
          'TE',
          'x',
          'Proxy-Connection',
          'y',
        ],
      },
      undefined,
      [...START, ...END],
    ],
    ['credentials last', { headers: ['X', '1'] }, GOOD, [...START, 'X', '1', ...END, 'Proxy-Authorization', GOOD]],
    [
      "the client's credentials only where they are handed in",
      { headers: ['Proxy-Authorization', 'Basic Ym9iOmI='] },
      GOOD,
      [...START, ...END, 'Proxy-Authorization', GOOD],
    ],
    [
      'to an origin, never any',
      { headers: ['proxy-authorization', 'Basic Ym9iOmI='], direct: true },
      GOOD,
      [...START, ...END],
    ],
    ['a Via of another hop stays', { headers: ['Via', '1.0 you'] }, undefined, [...START, 'Via', '1.0 you', ...END]],
    [
      'a length as it came',
      { headers: ['Content-Length', '3', 'Expect', '100-continue'], body: { kind: 'length', length: 3 } },
      undefined,
      [...START, 'Content-Length', '3', 'Expect', '100-continue', ...END],
    ],
    [
      'chunked made anew',
      { headers: ['transfer-encoding', 'chunked'], body: { kind: 'chunked' } },
      undefined,
      [...START, ...END, 'Transfer-Encoding', 'chunked'],
    ],
    [
      'an offer of another protocol',
      { kind: 'upgrade', headers: ['Connection', 'Upgrade', 'Upgrade', 'websocket', 'Sec-WebSocket-Key', 'x'] },
      undefined,
      [...START, 'Sec-WebSocket-Key', 'x', ...END, 'Connection', 'Upgrade', 'Upgrade', 'websocket'],
    ],
    [
      'nothing about a body in the question before a body',
      {
        headers: ['Content-Length', '3', 'Content-Type', 'text/plain', 'Content-Encoding', 'br', 'X', '1'],
        standIn: true,
      },
      undefined,
      [...START, 'X', '1', ...END],
    ],
  ])('%s', (_what, changes, authorization, fields) => {
    expect(requestHeaders(facts(changes), authorization)).toEqual(fields);
  });
});

test('a head on the wire', () => {
  expect(formatHead('GET / HTTP/1.1', ['Host', 'a', 'X', ''])).toBe('GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n');
});

test('the text of credentials', () => {
  const parsed = parseCredentials(GOOD);
  if (!parsed.ok) throw new TypeError('these can be read');
  expect([authorizationText(parsed.credentials), authorizationText(parsed.credentials)]).toEqual([GOOD, GOOD]);
});
