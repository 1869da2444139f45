import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { chain407, temporaryFolder } from './command.ts';

const folder = temporaryFolder();
let files = 0;

function file(text: string): string {
  files += 1;
  const path = join(folder, `${files}.yaml`);
  writeFileSync(path, text);
  return path;
}

const GOOD = `
downstream:
  credentials:
    corp: { username: alice, password: { value: hunter2-horse }, schemes: [basic] }
  upstreams:
    corp: { url: 'http://127.0.0.1:8080', credentials: corp }
`;

describe('chain407 check', () => {
  test('says that a good configuration is good, on stderr, with nothing on stdout', async () => {
    const path = file(GOOD);
    expect(await chain407(['check', '-c', path])).toEqual({ status: 0, stdout: '', stderr: `${path}: good\n` });
  });

  test('prints every problem at once, in order, each at its place, and exits with 2', async () => {
    const path = file(`downstream:
  lisen: 127.0.0.1:3128
  identity: substitut
  credentials:
    corp: { username: alice, password: hunter2-horse, schemes: [digist] }
  upstreams:
    a: { url: 'ftp://x', credentials: crop }
upstream:
  users: [{ name: bob, hash: plain }]
  ports: { connect: [99999] }
`);
    const { status, stdout } = await chain407(['check', '-c', path]);
    expect(status).toBe(2);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(`${path}:`, '').replace(/(: .*?: ).*/, '$1')),
    ).toEqual([
      '2:3: downstream.lisen: ',
      '3:13: downstream.identity: ',
      '5:40: downstream.credentials.corp.password: ',
      '5:65: downstream.credentials.corp.schemes[0]: ',
      '7:15: downstream.upstreams.a.url: ',
      '7:39: downstream.upstreams.a.credentials: ',
      '10:21: upstream.ports.connect: ',
    ]);
    expect(stdout).toContain('unknown key "lisen", did you mean "listen"?');
    expect(stdout).not.toContain('hunter2');
  });

  test.each([
    ['a missing file', ['-c', join(folder, 'nowhere.yaml')], 'nowhere.yaml: cannot be read: there is no such file'],
    ['a folder', ['-c', folder], 'cannot be read: this is a folder'],
    ['YAML that is none', ['-c', file('a: [1\nb: 2')], ':2:1: '],
    ['a key that stands twice', ['-c', file('log: {}\nlog: {}')], ':2:1: Map keys must be unique'],
    [
      'an override without a value',
      ['-c', file(GOOD), '--set', 'downstream.listen'],
      '--set downstream.listen: expected KEY.PATH=VALUE',
    ],
    [
      'an override that is wrong',
      ['-c', file(GOOD), '--set', 'downstream.listen=nowhere'],
      '--set downstream.listen=nowhere: downstream.listen: expected an address',
    ],
    [
      'a secret that is not there',
      ['-c', file(GOOD.replace('{ value: hunter2-horse }', '{ env: CHAIN407_NO_SUCH }'))],
      ':4:40: downstream.credentials.corp.password: the environment variable CHAIN407_NO_SUCH is not set',
    ],
    [
      'a secret file that is not there',
      ['-c', file(GOOD.replace('{ value: hunter2-horse }', '{ file: ./no-such }'))],
      `the file ${join(folder, 'no-such')} cannot be read`,
    ],
    [
      'a wide listener without clients',
      ['-c', file(GOOD), '--set', 'downstream.listen=0.0.0.0:3128'],
      'expected clients.allow beside it: 0.0.0.0 is beyond loopback',
    ],
    [
      'a user file that is not there',
      ['-c', file('upstream: { users: [{ htpasswd: ./nobody }] }')],
      'upstream.users[0].htpasswd',
    ],
    [
      'a hash of no known kind',
      ['-c', file("upstream: { users: [{ name: a, hash: 'x' }] }")],
      'upstream.users[0].hash: expected a bcrypt',
    ],
  ])('names %s, and exits with 2', async (_what, args, message) => {
    const { status, stdout } = await chain407(['check', ...args]);
    expect(stdout).toContain(message);
    expect(status).toBe(2);
  });

  test('later files and then --set override earlier ones', async () => {
    const second = file('downstream: { identity: nonsense }');
    expect((await chain407(['check', '-c', file(GOOD), '-c', second])).status).toBe(2);
    expect(
      (await chain407(['check', '-c', file(GOOD), '-c', second, '--set', 'downstream.identity=relay'])).status,
    ).toBe(0);
  });

  test('warns of a password in the file for a proxy beyond loopback, and still says good', async () => {
    const { status, stdout } = await chain407(['check', '-c', file(GOOD.replace('127.0.0.1', 'proxy.corp.example'))]);
    expect(stdout).toContain('downstream.credentials.corp.password: warning: ');
    expect(status).toBe(0);
  });

  test('--json reports the same for programs', async () => {
    const { stdout } = await chain407(['check', '--json', '-c', file('downstream: { lisen: x }')]);
    const { ok, problems } = JSON.parse(stdout) as { ok: boolean; problems: { path: string; line: number }[] };
    expect(ok).toBe(false);
    expect(problems.map(({ path, line }) => `${line} ${path}`)).toContain('1 downstream.lisen');
  });

  test.each([
    ['without a configuration', ['check']],
    ['with an option that there is not', ['check', '--fast']],
    ['with a command that there is not', ['chek']],
  ])('exits with 2 %s', async (_what, args) => {
    const { status, stderr, stdout } = await chain407(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).not.toBe('');
  });
});
