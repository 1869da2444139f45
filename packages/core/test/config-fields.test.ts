import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { z } from 'zod';
import { cidr, hostPattern, httpUrl, isLoopback, listenAddress, portRanges } from '../src/config/address-fields.ts';
import { duration, filePath, size } from '../src/config/fields.ts';
import { secretSource } from '../src/config/secret-source.ts';
import { configFromObject } from '../src/config/tree.ts';
import { validate } from '../src/config/validate.ts';
import { readSource } from '../src/secrets/read-source.ts';

function good<T>(field: z.ZodType<T>, value: unknown): T {
  const validated = validate(field, configFromObject(value));
  if (!validated.ok) throw new Error(validated.problems[0]?.message);
  return validated.value;
}

function problem(field: z.ZodType, value: unknown): string | undefined {
  const validated = validate(field, configFromObject(value));
  return validated.ok ? undefined : validated.problems.map(({ message }) => message).join('\n');
}

/** What no field takes, whatever its form. */
const WEIRD: readonly unknown[] = [
  undefined,
  null,
  true,
  {},
  [],
  [['80']],
  { toString: 1 },
  Object.create(null),
  () => 1,
];

describe('a duration', () => {
  test.each([
    ['250ms', 250],
    ['8s', 8000],
    ['15m', 900_000],
    ['1h', 3_600_000],
    ['2d', 172_800_000],
    ['0s', 0],
    [0, 0],
    ['24d', 2_073_600_000],
  ])('%s is %d ms', (text, ms) => expect(good(duration(), text)).toBe(ms));

  test.each([
    '8',
    8,
    '',
    's',
    '-1s',
    '1.5s',
    '8 s',
    ' 8s',
    '8S',
    '1h30m',
    '25d',
    '1e3s',
    '99999999999ms',
    ['8s'],
    ...WEIRD,
  ])('%p is none', (value) =>
    expect(problem(duration(), value)).toMatch(/^expected a duration such as 250ms, 8s, 15m or 1h /),
  );

  test('of any number and unit is that number of that unit', () => {
    const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
    fc.assert(
      fc.property(fc.constantFrom(...Object.entries(units)), fc.nat(24), ([unit, ms], count) => {
        expect(good(duration(), `${count}${unit}`)).toBe(count * ms);
      }),
    );
    fc.assert(fc.property(fc.nat(2 ** 31 - 1), (ms) => expect(good(duration(), `${ms}ms`)).toBe(ms)));
  });
});

describe('a size', () => {
  test.each([
    ['512', 512],
    [512, 512],
    [0, 0],
    ['512B', 512],
    ['64KiB', 65_536],
    ['1MiB', 1_048_576],
    ['10MB', 10_000_000],
    ['2GiB', 2_147_483_648],
  ])('%s is %d bytes', (text, bytes) => expect(good(size(), text)).toBe(bytes));

  test.each([
    '',
    '1.5MB',
    '-1',
    -1,
    1.5,
    1e21,
    '64kib',
    '64 KiB',
    '1TB',
    '999999999999GiB',
    ['512'],
    Number.NaN,
    ...WEIRD,
  ])('%p is none', (value) =>
    expect(problem(size(), value)).toMatch(/^expected a size such as 512, 64KiB or 10MB, got /),
  );

  test('of any number and unit is that number of that unit', () => {
    const units = { '': 1, B: 1, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };
    fc.assert(
      fc.property(fc.constantFrom(...Object.entries(units)), fc.nat(1_000_000), ([unit, bytes], count) => {
        expect(good(size(), `${count}${unit}`)).toBe(count * bytes);
      }),
    );
  });
});

describe('an address to listen on', () => {
  test.each([
    ['127.0.0.1:3128', '127.0.0.1', 3128],
    ['[::1]:0', '::1', 0],
    ['localhost:3128', 'localhost', 3128],
    ['proxy-1.corp.example:65535', 'proxy-1.corp.example', 65_535],
    [':3128', '::', 3128],
    ['0.0.0.0:80', '0.0.0.0', 80],
  ])('%s', (text, host, port) => expect(good(listenAddress('/etc'), text)).toEqual({ host, port }));

  test.each([
    '127.0.0.1',
    '127.0.0.1:',
    '127.0.0.1:65536',
    '127.0.0.1:-1',
    '127.0.0.1:80a',
    '::1:80',
    '[::1]',
    '[::g]:80',
    '[127.0.0.1]:80',
    '999.0.0.1:80',
    '127.1:80',
    '*:80',
    'a b:80',
    'http://a:80',
    'a/b:80',
    '',
    3128,
    ['127.0.0.1:80'],
    ...WEIRD,
  ])('%p is none', (value) =>
    expect(problem(listenAddress('/etc'), value)).toMatch(/^expected an address such as 127/),
  );

  test('with a certificate and its key', () => {
    const secured = { address: '[::1]:3128', tls: { cert: 'proxy.pem', key: '/keys/proxy.key' } };
    const tls = { cert: '/etc/proxy.pem', key: '/keys/proxy.key' };
    expect(good(listenAddress('/etc'), secured)).toEqual({ host: '::1', port: 3128, tls });
    expect(good(listenAddress('/etc'), { address: ':80' })).toEqual({ host: '::', port: 80, tls: undefined });
  });

  test.each([
    ['127.0.0.1', true],
    ['127.9.9.9', true],
    ['::1', true],
    ['0:0:0:0:0:0:0:1', true],
    ['::ffff:127.0.0.1', true],
    ['localhost', true],
    ['LOCALHOST', true],
    ['::', false],
    ['0.0.0.0', false],
    ['::ffff:10.0.0.1', false],
    ['10.0.0.1', false],
    ['localhost.example', false],
    ['127.0.0.1.example', false],
    ['', false],
  ])('%s is loopback: %p', (host, loopback) => expect(isLoopback(host)).toBe(loopback));
});

describe('a range of addresses', () => {
  test.each([
    ['10.0.0.0/8', ['10.0.0.1', '10.255.255.255', '::ffff:10.1.2.3'], ['11.0.0.1', '::1', '::a00:1', 'a.example', '']],
    ['10.1.2.3/8', ['10.9.9.9'], ['11.0.0.1']],
    ['192.0.2.7', ['192.0.2.7', '::ffff:192.0.2.7', '::ffff:c000:207'], ['192.0.2.8']],
    ['0.0.0.0/0', ['192.0.2.7'], ['::1']],
    ['::1', ['::1', '0:0:0:0:0:0:0:1'], ['::2', '127.0.0.1']],
    ['2001:db8::/32', ['2001:DB8::5'], ['2001:db9::5', '10.0.0.1']],
    ['::ffff:10.0.0.0/104', ['10.1.2.3', '::ffff:10.1.2.3'], ['11.0.0.1']],
    ['127.0.0.0/8', ['2130706433', '0x7f.1', '127.1'], ['2130706432.example']],
  ])('%s', (text, inside, outside) => {
    const range = good(cidr(), text);
    expect(range.text).toBe(text);
    expect(inside.filter((address) => !range.contains(address))).toEqual([]);
    expect(outside.filter((address) => range.contains(address))).toEqual([]);
  });

  test.each([
    '10',
    '10.0.0',
    '10.0/8',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '010.0.0.1',
    '::1/129',
    '::ffff:10.0.0.0/95',
    'a.example',
    '*',
    '',
    10,
    ['10.0.0.0/8'],
    ...WEIRD,
  ])('%p is none', (value) =>
    expect(problem(cidr(), value)).toMatch(/^expected an address or a range such as 10\.0\.0\.0\/8, got /),
  );
});

describe('a host pattern', () => {
  test.each<[string, [string, number][], [string, number][]]>([
    [
      '*',
      [
        ['a', 1],
        ['::1', 443],
      ],
      [],
    ],
    ['*:443', [['a', 443]], [['a', 80]]],
    [
      'example.com',
      [
        ['example.com', 1],
        ['EXAMPLE.COM.', 1],
      ],
      [
        ['a.example.com', 1],
        ['evilexample.com', 1],
        ['example.co', 1],
      ],
    ],
    ['Example.COM.', [['example.com', 1]], [['example.net', 1]]],
    [
      '*.example.com',
      [
        ['a.example.com', 1],
        ['a.b.EXAMPLE.com.', 1],
      ],
      [
        ['example.com', 1],
        ['.example.com', 1],
        ['evil-example.com', 1],
        ['a.example.com.evil', 1],
      ],
    ],
    ['*.example:443', [['a.example', 443]], [['a.example', 80]]],
    [
      '10.0.0.0/8',
      [
        ['10.1.2.3', 1],
        ['::ffff:10.1.2.3', 1],
      ],
      [
        ['11.0.0.1', 1],
        ['10.example', 1],
      ],
    ],
    ['10.0.0.0/8:443', [['10.1.2.3', 443]], [['10.1.2.3', 80]]],
    ['10.0.0.1:80', [['10.0.0.1', 80]], [['10.0.0.1', 81]]],
    [
      '::1',
      [
        ['::1', 1],
        ['[::1]', 1],
      ],
      [['::2', 1]],
    ],
    [
      '[::1]:80',
      [
        ['::1', 80],
        ['[::1]', 80],
      ],
      [['::1', 81]],
    ],
    ['[::1]', [['::1', 80]], [['::2', 80]]],
    ['2001:db8::/32', [['2001:db8::1', 1]], [['2001:db9::1', 1]]],
    ['[2001:db8::/32]:443', [['2001:db8::1', 443]], [['2001:db8::1', 80]]],
    ['localhost', [['localhost', 1]], [['127.0.0.1', 1]]],
    ['_ldap.a-b.example', [['_ldap.a-b.example', 1]], []],
  ])('%s', (text, matching, others) => {
    const pattern = good(hostPattern(), text);
    expect(pattern.text).toBe(text);
    expect(matching.filter(([host, port]) => !pattern.matches(host, port))).toEqual([]);
    expect(others.filter(([host, port]) => pattern.matches(host, port))).toEqual([]);
  });

  test.each([
    '',
    '*.',
    '**',
    '*.*',
    '*example.com',
    'a.*.com',
    'a..b',
    '.example',
    '-a.example',
    'a-.example',
    'a b',
    'http://a',
    'a/b',
    'a:',
    'a:0',
    'a:65536',
    'a:b',
    '*:',
    '999.0.0.1',
    '127.1',
    '10.0.0.0/33',
    '[::g]',
    '[a.example',
    'a@b',
    7,
    ['*'],
    ...WEIRD,
  ])('%p is none', (value) => expect(problem(hostPattern(), value)).toMatch(/^expected a host such as example\.com/));
});

describe('ports', () => {
  test('numbers and spans, ends included', () => {
    const ports = good(portRanges(), [80, '443', '1024-65535']);
    expect(ports.text).toBe('80, 443, 1024-65535');
    expect([80, 443, 1024, 65_535].filter((port) => !ports.contains(port))).toEqual([]);
    expect([0, 79, 81, 1023, 65_536].filter((port) => ports.contains(port))).toEqual([]);
  });

  test('an empty list holds none', () => expect(good(portRanges(), []).contains(80)).toBe(false));

  test.each([
    80,
    '80',
    [0],
    [65_536],
    [80.5],
    ['90-80'],
    ['a'],
    ['80-'],
    ['-80'],
    [-80],
    ['1-2-3'],
    [true],
    [null],
    [[80]],
    [{ toString: 1 }],
  ])('%p are none', (value) => expect(problem(portRanges(), value)).toMatch(/^expected a list of ports and ranges/));
});

describe('the URL of a proxy', () => {
  test.each([
    ['http://proxy-a.corp.example:8080', 'http:', 'proxy-a.corp.example', 8080],
    ['http://proxy', 'http:', 'proxy', 80],
    ['https://proxy', 'https:', 'proxy', 443],
    ['HTTPS://Proxy.Example:1/', 'https:', 'proxy.example', 1],
    ['http://[::1]:3128', 'http:', '::1', 3128],
    ['http://127.0.0.1:65535', 'http:', '127.0.0.1', 65_535],
  ])('%s', (text, protocol, host, port) => expect(good(httpUrl(), text)).toEqual({ protocol, host, port }));

  test.each([
    ['http://alice:hunter2@proxy', 'got "http://[secret]@proxy"; a user name and password belong under credentials'],
    ['http://proxy/path', 'a proxy has no path and no query; credentials belong under credentials'],
    ['http://proxy?user=alice', 'a proxy has no path and no query'],
    ['http://proxy#x', 'a proxy has no path and no query'],
    ['socks5://proxy', 'got "socks5://proxy"'],
    ['proxy:8080', 'got "proxy:8080"'],
    ['http://', 'got "http://"'],
    ['http://proxy:0', 'got "http://proxy:0"'],
    ['http://proxy:65536', 'got'],
    ['http://a b', 'got'],
    [7, 'got 7'],
    [['http://proxy'], 'got a list'],
    ...WEIRD.map((value): [unknown, string] => [value, 'got ']),
  ])('%p is none', (value, message) => {
    expect(problem(httpUrl(), value)).toMatch(/^expected http:\/\/HOST:PORT or https:\/\/HOST:PORT of a proxy, got /);
    expect(problem(httpUrl(), value)).toContain(message);
    expect(problem(httpUrl(), value)).not.toContain('hunter2');
  });
});

describe('a path', () => {
  test.each([
    ['./a', '/etc/chain407/a'],
    ['../a', '/etc/a'],
    ['/a', '/a'],
  ])('%s starts at the folder of the configuration', (text, path) =>
    expect(good(filePath('/etc/chain407'), text)).toBe(path),
  );

  test.each(['', 7, ['a'], ...WEIRD])('%p is none', (value) =>
    expect(problem(filePath('/etc'), value)).toMatch(/^expected the path of a file, got /),
  );
});

describe('a secret', () => {
  const folder = mkdtempSync(join(tmpdir(), 'chain407-secret-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  async function read(value: unknown): Promise<string> {
    const result = await readSource(good(secretSource(folder), value));
    return result.ok ? result.secret.reveal() : result.message;
  }

  test('has its source named', async () => {
    expect(good(secretSource('/etc'), { env: 'CORP_PASSWORD' })).toEqual({ kind: 'env', name: 'CORP_PASSWORD' });
    expect(good(secretSource('/etc'), { file: './secret' })).toEqual({ kind: 'file', path: '/etc/secret' });
    expect(good(secretSource('/etc'), { file: '/run/secret' })).toEqual({ kind: 'file', path: '/run/secret' });
    expect(await read({ value: ' a b ' })).toBe(' a b ');
    expect(good(secretSource('/etc'), { command: ['pass', 'show', 'corp'] })).toEqual({
      kind: 'command',
      argv: ['pass', 'show', 'corp'],
      folder: '/etc',
    });
  });

  test.each([
    ['corp/alice', 'corp', 'alice'],
    ['corp/CORP\\alice', 'corp', 'CORP\\alice'],
    ['https://proxy.corp.example/alice', 'https://proxy.corp.example', 'alice'],
  ])('in a keyring is named by service and account: %s', (keyring, service, account) => {
    expect(good(secretSource('/etc'), { keyring })).toEqual({ kind: 'keyring', service, account });
  });

  test.each<[string, unknown, string]>([
    ['bare', 'hunter2', 'got a string; a bare text would be a secret in the open'],
    ['a bare number', 12345, 'got a number'],
    ['a list', ['hunter2'], 'got a list'],
    ['empty', {}, 'got a map'],
    ['missing', undefined, 'got nothing'],
    ['two at once', { env: 'A', value: 'hunter2' }, 'one of the forms at a time'],
    [
      'a command line',
      { command: 'pass hunter2' },
      'command needs a list of texts, the program first: [pass, show, corp]',
    ],
    ['a command of nothing', { command: [] }, 'command needs a list of texts'],
    ['a command with a number', { command: ['pass', 12345] }, 'command needs a list of texts'],
    ['a command with an empty argument', { command: ['pass', ''] }, 'command needs a list of texts'],
    ['a command with a NUL', { command: ['pass', 'hunter2\0'] }, 'command needs a list of texts'],
    ['a keyring without an account', { keyring: 'hunter2' }, 'keyring needs service/account'],
    ['a keyring with an empty account', { keyring: 'hunter2/' }, 'keyring needs service/account'],
    ['a keyring without a service', { keyring: '/hunter2' }, 'keyring needs service/account'],
    ['a keyring in a list', { keyring: ['hunter2', 'alice'] }, 'keyring needs a text: put it in quotes'],
    ['a form of prototypes', JSON.parse('{"__proto__":"hunter2"}'), 'got a map'],
    ['a number as its text', { value: 12345 }, 'value needs a text: put it in quotes'],
    ['no text', { value: '' }, 'value is empty'],
    ['no name of a variable', { env: 'hunter2!' }, 'env needs the name of an environment variable'],
  ])('%s is refused, and not shown', (_what, value, message) => {
    const text = problem(secretSource('/etc'), value);
    expect(text).toMatch(/^expected \{ env: NAME \}, \{ file: PATH \}, .* or \{ value: text \}, got /);
    expect(text).toContain(message);
    expect(text).not.toMatch(/hunter2|12345/);
  });

  test.each([
    ['hunter2', 'hunter2'],
    ['hunter2\n', 'hunter2'],
    ['hunter2\r\n', 'hunter2'],
    ['hunter2\n\n', 'hunter2\n'],
    [' hunter2 ', ' hunter2 '],
    ['pässwörd\n', 'pässwörd'],
    ['\ufeffhunter2\r\n', 'hunter2'],
  ])('in a file is read without the newline at its end: %j', async (text, secret) => {
    writeFileSync(join(folder, 'secret'), text);
    expect(await read({ file: 'secret' })).toBe(secret);
  });

  test('in a file that will not do is a message with the path and the cause', async () => {
    writeFileSync(join(folder, 'empty'), '\n');
    expect(await read({ file: 'empty' })).toBe(`the file ${join(folder, 'empty')} is empty`);
    expect(await read({ file: 'none' })).toBe(`the file ${join(folder, 'none')} cannot be read: there is no such file`);
    expect(await read({ file: '.' })).toBe(`the file ${folder} cannot be read: this is a folder`);
    writeFileSync(join(folder, 'inner'), 'x');
    expect(await read({ file: 'inner/x' })).toMatch(/inner\/x cannot be read: ENOTDIR/);
    writeFileSync(join(folder, 'latin1'), Buffer.from([0x70, 0xe4, 0x73, 0x73]));
    expect(await read({ file: 'latin1' })).toBe(`the file ${join(folder, 'latin1')} holds no UTF-8 text`);
    writeFileSync(join(folder, 'huge'), 'x'.repeat(64 * 1024 + 1));
    expect(await read({ file: 'huge' })).toBe(`the file ${join(folder, 'huge')} holds more than 64 KiB`);
  });

  test('in the environment is read when it is asked for', async () => {
    const name = 'CHAIN407_TEST_SECRET';
    expect(await read({ env: name })).toBe(`the environment variable ${name} is not set`);
    try {
      process.env[name] = '';
      expect(await read({ env: name })).toBe(`the environment variable ${name} is empty`);
      process.env[name] = 'hunter2';
      expect(await read({ env: name })).toBe('hunter2');
    } finally {
      delete process.env[name];
    }
  });
});
