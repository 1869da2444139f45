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
});
