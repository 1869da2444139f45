import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RawConnection } from '@chain407/testkit';
import { describe, expect, test } from '@jest/globals';
import { chain407, service, temporaryFolder } from './command.ts';

const PASSWORD = 'pässwörd: with everything';

describe('chain407 hash', () => {
  test('prints entries that users takes, and that let the user in', async () => {
    const { status, stdout } = await chain407(['hash', 'alice'], { input: `${PASSWORD}\n` });
    expect(status).toBe(0);
    expect(stdout).not.toContain(PASSWORD);
    const entry = /^- .*$/m.exec(stdout)?.[0] ?? '';
    const line = /^alice:.*$/m.exec(stdout)?.[0] ?? '';
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'htpasswd'), `${line.replace('alice', 'bob')}\n`);
    const file = join(folder, 'upstream.yaml');
    writeFileSync(file, `upstream:\n  listen: 127.0.0.1:0\n  users:\n    ${entry}\n    - { htpasswd: ./htpasswd }\n`);
    const upstream = await service(['upstream', '-c', file]);
    const statuses = [];
    for (const credentials of [`alice:${PASSWORD}`, `bob:${PASSWORD}`, 'alice:wrong-horse']) {
      const connection = await RawConnection.connect(Number(new URL(upstream.ready.upstream?.url ?? '').port));
      const token = Buffer.from(credentials).toString('base64');
      const { status: got } = await connection.exchange(
        `OPTIONS * HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Basic ${token}\r\n\r\n`,
      );
      statuses.push(got);
      connection.destroy();
    }
    await upstream.stop();
    expect(statuses).toEqual([200, 200, 407]);
  });

  test('without a password on stdin it exits with 2 and says what it expects', async () => {
    const { status, stderr } = await chain407(['hash'], { input: '' });
    expect({ status, stderr }).toEqual({ status: 2, stderr: 'chain407: expected a password on standard input\n' });
  });

  test.each([
    ['a name with a colon', 'a:b', 'x', 'a user name with a colon'],
    ['a name of two lines', 'x\ny', 'x', 'control characters'],
    ['a password with control characters', 'a', 'a\u0001b', 'control characters'],
    ['a password of which bcrypt would not see the end', 'a', 'x'.repeat(73), 'at most 72 bytes'],
  ])('refuses %s: nobody could log in with it', async (_what, name, password, message) => {
    const { status, stdout, stderr } = await chain407(['hash', name], { input: `${password}\n` });
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(message);
  });

  test('--json is for programs', async () => {
    const { stdout } = await chain407(['hash', 'alice', '--json'], { input: 'x\n' });
    expect(JSON.parse(stdout)).toEqual({ name: 'alice', hash: expect.stringMatching(/^\$2b\$12\$/) });
  });

  // MS-NLMP §4.2.2.1.1; the HA1s are those of openssl.
  const NT_HASH = 'a4f49c406510bdcab6824ee7c30fd852';
  const HA1 = {
    MD5: 'ff7f4b7baf40faa765dfaa4e1946f013',
    'SHA-256': 'd540716bbe9e8fd3e431edb99ff72a5e31c7a10dd0148abf15290aaa26a51580',
  };

  test('with a realm it prints, for every scheme, what a configuration takes', async () => {
    const { stdout } = await chain407(['hash', '--user', 'alice', '--realm', 'A proxy'], { input: 'Password\n' });
    const folder = temporaryFolder();
    const lines = stdout.split('\n');
    const entries = lines.filter((line) => line.startsWith('- '));
    writeFileSync(
      join(folder, 'htpasswd'),
      lines
        .filter((line) => line.startsWith('alice:$2b$'))
        .join('\n')
        .replace('alice', 'bob'),
    );
    writeFileSync(join(folder, 'htdigest'), lines.filter((line) => line.startsWith('alice:A proxy:')).join('\n'));
    const users = [...entries, '- { htpasswd: ./htpasswd }', '- { htdigest: ./htdigest }'];
    const file = join(folder, 'upstream.yaml');
    writeFileSync(
      file,
      ['upstream:', '  realm: A proxy', '  users:', ...users.map((entry) => `    ${entry}`)].join('\n'),
    );
    expect(entries).toHaveLength(2);
    expect(await chain407(['check', '-c', file])).toMatchObject({ status: 0, stderr: `${file}: good\n` });
  });

  test.each([
    ['bcrypt', [expect.stringMatching(/^- { name: "alice", hash: '\$2b\$12\$.{53}' }$/)], 'serves basic'],
    ['htpasswd', [expect.stringMatching(/^alice:\$2b\$12\$.{53}$/)], 'serves basic'],
    ['htdigest', [`alice:A proxy:${HA1.MD5}`, `alice:A proxy:${HA1['SHA-256']}`], 'as good as the password'],
    ['nt', [`- { name: "alice", ntHash: { value: '${NT_HASH}' } }`], 'As good as the password'],
  ])('--kind %s prints nothing else on stdout, and on stderr what it is good for', async (kind, lines, comment) => {
    const args = ['hash', 'alice', '--realm', 'A proxy', '--kind', kind];
    const { stdout, stderr } = await chain407(args, { input: 'Password\n' });
    expect(stdout.trimEnd().split('\n')).toEqual(lines);
    expect(stderr).toContain(comment);
  });

  test.each([
    [['alice', '--kind', 'nt'], { name: 'alice', ntHash: NT_HASH }],
    [['alice', '--kind', 'htdigest', '--realm', 'A proxy'], { name: 'alice', realm: 'A proxy', ha1: HA1 }],
    [
      ['alice', '--realm', 'A proxy'],
      { name: 'alice', hash: expect.any(String), realm: 'A proxy', ha1: HA1, ntHash: NT_HASH },
    ],
  ])('%j prints them for programs with --json', async (args, expected) => {
    const { stdout } = await chain407(['hash', ...args, '--json'], { input: 'Password\n' });
    expect(JSON.parse(stdout)).toEqual(expected);
  });

  test('a password too long for bcrypt will do for the others', async () => {
    const { status } = await chain407(['hash', 'alice', '--kind', 'nt'], { input: `${'x'.repeat(73)}\n` });
    expect(status).toBe(0);
  });

  test.each([
    [['--kind', 'htdigest', '--realm', 'x'], 'expected --user NAME'],
    [['alice', '--kind', 'htdigest'], 'expected --realm REALM'],
    [['alice', '--realm', 'a\tb'], 'expected a realm without control characters'],
    [['alice', '--user', 'bob'], 'expected one name'],
    [['alice', '--kind', 'md5'], 'bcrypt, htpasswd, htdigest, nt'],
  ])('%j is refused before a password is read', async (args, message) => {
    const { status, stdout, stderr } = await chain407(['hash', ...args], { input: '' });
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(message);
  });
});
