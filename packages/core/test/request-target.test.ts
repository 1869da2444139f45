import { parseAuthority, parseConnectTarget, parseForwardTarget } from '@chain407/core';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { hostAgrees } from '../src/http/request-target.ts';

const A = { form: 'absolute', scheme: 'http', host: 'a', port: 80, authority: 'a', path: '/', absolute: 'http://a/' };

describe('reads the target of a plain request', () => {
  test.each([
    ['http://a/', {}],
    ['http://a', {}],
    ['http://a?q', { path: '/?q', absolute: 'http://a/?q' }],
    ['http://a/?a?b=//', { path: '/?a?b=//', absolute: 'http://a/?a?b=//' }],
    ['http://a//b//', { path: '//b//', absolute: 'http://a//b//' }],
    ['http://a/b/../c/./..', { path: '/b/../c/./..', absolute: 'http://a/b/../c/./..' }],
    ['http://a/%2f%2F%2e', { path: '/%2f%2F%2e', absolute: 'http://a/%2f%2F%2e' }],
    ['http://a/b\\c|"<>', { path: '/b\\c|"<>', absolute: 'http://a/b\\c|"<>' }],
    ['http://a/http://b/', { path: '/http://b/', absolute: 'http://a/http://b/' }],
    ['http://a/b@c:d', { path: '/b@c:d', absolute: 'http://a/b@c:d' }],
    [
      'HTTP://A.Example:8080/B',
      { host: 'a.example', port: 8080, authority: 'A.Example:8080', path: '/B', absolute: 'http://A.Example:8080/B' },
    ],
    ['https://a/', { scheme: 'https', port: 443, absolute: 'https://a/' }],
    ['http://a:1/', { port: 1, authority: 'a:1', absolute: 'http://a:1/' }],
    ['http://a:65535/', { port: 65_535, authority: 'a:65535', absolute: 'http://a:65535/' }],
    ['http://a:/', { authority: 'a:', absolute: 'http://a:/' }],
    ['http://[::1]/', { host: '::1', authority: '[::1]', absolute: 'http://[::1]/' }],
    [
      'http://[2001:DB8::A]:81/',
      { host: '2001:db8::a', port: 81, authority: '[2001:DB8::A]:81', absolute: 'http://[2001:DB8::A]:81/' },
    ],
    [
      'http://[::ffff:127.0.0.1]/',
      { host: '::ffff:127.0.0.1', authority: '[::ffff:127.0.0.1]', absolute: 'http://[::ffff:127.0.0.1]/' },
    ],
    [
      'http://under_score.a-b~/',
      { host: 'under_score.a-b~', authority: 'under_score.a-b~', absolute: 'http://under_score.a-b~/' },
    ],
    ['http://user:pass@a/', {}],
    ['http://user@a:81/', { port: 81, authority: 'a:81', absolute: 'http://a:81/' }],
    ['http://b:80@c@a/', {}],
    ['http://@a/', {}],
  ])('%s', (url, wanted) => {
    expect(parseForwardTarget('GET', url)).toEqual({ ok: true, target: { ...A, ...wanted } });
  });

  test('* of OPTIONS', () => {
    expect(parseForwardTarget('OPTIONS', '*')).toEqual({ ok: true, target: { form: 'asterisk' } });
  });

  test.each([
    ['http://a', '*', 'http://a'],
    ['http://x:y@a', '*', 'http://a'],
    ['http://a/', '/', 'http://a/'],
    ['http://a?', '/?', 'http://a/?'],
  ])('OPTIONS %s asks the origin for %s and a next proxy for %s', (url, path, absolute) => {
    expect(parseForwardTarget('OPTIONS', url)).toEqual({ ok: true, target: { ...A, path, absolute } });
  });
});

const PLACE = 'the target has no valid host and port';
const URL = 'the target is no absolute URL';

describe('refuses as the target of a plain request', () => {
  test.each([
    ['http:///', PLACE],
    ['http://', PLACE],
    ['http://:80/', PLACE],
    ['http://user:pass@/', PLACE],
    ['http://user:pass@:80/', PLACE],
    ['http://a:0/', PLACE],
    ['http://a:65536/', PLACE],
    ['http://a:99999/', PLACE],
    ['http://a:000080/', PLACE],
    ['http://a:abc/', PLACE],
    ['http://a:-1/', PLACE],
    ['http://a:80:80/', PLACE],
    ['http://a b/', PLACE],
    ['http://a\\b/', PLACE],
    ['http://a%2fb/', PLACE],
    ['http://%61/', PLACE],
    ['http://a,b/', PLACE],
    ['http://a;b/', PLACE],
    ['http://a"b/', PLACE],
    ['http://a<b>/', PLACE],
    ['http://a\0b/', PLACE],
    ['http://\xe9/', PLACE],
    ['http://[::1/', PLACE],
    ['http://::1/', PLACE],
    ['http://[]/', PLACE],
    ['http://[a]/', PLACE],
    ['http://[1]/', PLACE],
    ['http://[:::::]/', PLACE],
    ['http://[127.0.0.1]/', PLACE],
    ['http://[fe80::1%25eth0]/', PLACE],
    ['http://[::1]x/', PLACE],
    ['http://x[::1]/', PLACE],
    ['http://a/#f', URL],
    ['http://a#@b/', URL],
    ['http:/a/', URL],
    ['http:a', URL],
    ['://a/', URL],
    ['a:443', URL],
    ['a', URL],
    ['', URL],
    ['ftp://a/', 'this proxy forwards http and https, not ftp'],
    ['FILE://a/', 'this proxy forwards http and https, not file'],
    ['*', '* as a target is for OPTIONS'],
  ])('%j', (url, why) => {
    expect(parseForwardTarget('GET', url)).toEqual({ ok: false, why });
  });

  test.each(['/', '//a/', '/a?b', '/http://a/'])('%s, and says that this is a proxy', (url) => {
    expect(parseForwardTarget('GET', url)).toMatchObject({ ok: false, why: expect.stringMatching(/^this is a proxy/) });
  });

  test('anything of it that could be a password is not in the reason', () => {
    for (const url of ['http://user:horse@a:0/', 'ftp://user:horse@a/', 'user:horse@a:443', '/horse']) {
      for (const parsed of [parseForwardTarget('GET', url), parseConnectTarget(url)]) {
        expect(parsed).toMatchObject({ ok: false, why: expect.not.stringContaining('horse') });
      }
    }
  });
});

describe('CONNECT', () => {
  test.each([
    ['a:443', 'a', 443],
    ['A.Example:1', 'a.example', 1],
    ['a:65535', 'a', 65_535],
    ['127.0.0.1:80', '127.0.0.1', 80],
    ['[::1]:443', '::1', 443],
    ['[2001:DB8::A]:443', '2001:db8::a', 443],
  ])('goes to %s', (url, host, port) => {
    expect(parseConnectTarget(url)).toEqual({ ok: true, target: { form: 'authority', host, port, authority: url } });
  });

  test.each([
    ...['a', 'a:', 'a:0', 'a:65536', 'a:abc', 'a:1:2', ':443', '', '*', '/', 'a:443/', 'a:443?', 'a:443#'],
    ...[
      'http://a:443',
      'x@a:443',
      'x:y@a:443',
      '::1:443',
      '[::1]',
      '[::1]:0',
      '[x]:443',
      'a b:443',
      'a%2f:443',
      'a\0:443',
    ],
  ])('does not go to %j', (url) => {
    expect(parseConnectTarget(url)).toMatchObject({ ok: false });
  });
});

describe('Host names the same place', () => {
  test.each([
    ['http://a/', 'a', true],
    ['http://a/', 'A', true],
    ['http://A/', 'a', true],
    ['http://a/', 'a:80', true],
    ['http://a/', 'a:', true],
    ['http://a:80/', 'a', true],
    ['http://a/', 'a:443', false],
    ['http://a:81/', 'a', false],
    ['https://a/', 'a:443', true],
    ['https://a/', 'a:80', false],
    ['https://a:80/', 'a:80', true],
    ['http://[::1]/', '[::1]:80', true],
    ['http://[::A]/', '[::a]', true],
    ['http://[::1]/', '::1', false],
    ['http://x@a/', 'a', true],
    ['http://x@a/', 'x@a', false],
    ['http://a/', 'a.', false],
    ['http://a/', '', false],
    ['http://a/', 'a/', false],
    ['http://a/', 'a, a', false],
  ])('%s and Host: %s: %p', (url, host, agrees) => {
    const parsed = parseForwardTarget('GET', url);
    expect(parsed.ok && parsed.target.form === 'absolute' && hostAgrees(host, parsed.target)).toBe(agrees);
  });
});

test('an authority without a port has none', () => {
  expect([parseAuthority('A'), parseAuthority('a:'), parseAuthority('a:1'), parseAuthority('a/')]).toEqual([
    { host: 'a' },
    { host: 'a' },
    { host: 'a', port: 1 },
    undefined,
  ]);
});

const SETTINGS = { seed: 407, numRuns: 2000 };

test('whatever it is given, reading a target does not throw', () => {
  const url = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .array(fc.constantFrom(...'http://|@|:|[|]|a|80|/|?|#|%|*| |::1|\\|\0'.split('|')))
      .map((parts) => parts.join('')),
  );
  const wellFormed = (text: string): boolean =>
    [parseForwardTarget('GET', text), parseForwardTarget('OPTIONS', text), parseConnectTarget(text)].every(
      (parsed) => parsed.ok || parsed.why.length > 0,
    );
  fc.assert(fc.property(url, wellFormed), SETTINGS);
});

test('the text of path and query is not touched, whatever it is', () => {
  const rest = fc.string({ unit: 'binary' }).map((text) => `/${text.replaceAll('#', '')}`);
  const untouched = (path: string): void => {
    expect(parseForwardTarget('GET', `http://x:y@a:81${path}`)).toMatchObject({
      ok: true,
      target: { path, absolute: `http://a:81${path}` },
    });
  };
  fc.assert(fc.property(rest, untouched), SETTINGS);
});
