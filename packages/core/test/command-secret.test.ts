import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { CommandOptions } from '../src/secrets/command-secret.ts';
import { readCommand } from '../src/secrets/command-secret.ts';
import type { Keyring } from '../src/secrets/keyring-secret.ts';
import { readKeyring } from '../src/secrets/keyring-secret.ts';

const folder = mkdtempSync(join(tmpdir(), 'chain407-command-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The secret, or the message. */
async function read(argv: readonly [string, ...string[]], options: Partial<CommandOptions> = {}): Promise<string> {
  const result = await readCommand(argv, folder, { timeout: 20_000, ...options });
  return result.ok ? result.secret.reveal() : result.message;
}

/** A program of one line of JavaScript. */
const script = (code: string): readonly [string, ...string[]] => [process.execPath, '-e', code];

describe('the output of a command', () => {
  test.each([
    ['hunter2', 'hunter2'],
    ['hunter2\n', 'hunter2'],
    ['hunter2\r\n', 'hunter2'],
    ['two\nlines\n', 'two\nlines'],
    [' hunter2 \n', ' hunter2 '],
    ['pässwörd', 'pässwörd'],
    ['x'.repeat(64 * 1024), 'x'.repeat(64 * 1024)],
  ])('is the secret, without the newline at its end: %j', async (output, secret) => {
    expect(await read(['printf', '%s', output])).toBe(secret);
  });

  test('comes without a shell: its arguments are what they are', async () => {
    expect(await read(['printf', '%s', '$HOME `id` > x'])).toBe('$HOME `id` > x');
    expect(existsSync(join(folder, 'x'))).toBe(false);
  });

  test('comes from a program in the folder of the configuration', async () => {
    writeFileSync(join(folder, 'get-token'), '#!/bin/sh\ncat token\n', { mode: 0o755 });
    writeFileSync(join(folder, 'token'), 'hunter2\n');
    expect(await read(['./get-token'])).toBe('hunter2');
  });

  test('has the environment, and nothing to read', async () => {
    expect(await read(['sh', '-c', 'printf %s "$PATH"; cat'])).toBe(process.env.PATH);
  });

  test('counts as it is, whatever stderr says', async () => {
    expect(await read(['sh', '-c', 'echo careful >&2; echo hunter2'])).toBe('hunter2');
    const chatty = script(`process.stderr.write('x'.repeat(1 << 20), () => process.stdout.write('hunter2'))`);
    expect(await read(chatty)).toBe('hunter2');
  });
});

describe('a command that gives no secret is a message', () => {
  test.each<[string, readonly [string, ...string[]], string]>([
    [
      'of its exit status and what it says',
      ['sh', '-c', 'echo locked >&2; echo more >&2; exit 3'],
      'the command sh failed with exit status 3: locked',
    ],
    ['of its exit status alone', ['false'], 'the command false failed with exit status 1'],
    ['of the signal that ended it', ['sh', '-c', 'kill -9 $$'], 'the command sh was ended by SIGKILL'],
    ['of an empty output', ['true'], 'the output of the command true is empty'],
    ['of an output of one newline', ['echo'], 'the output of the command echo is empty'],
    [
      'of what it says when it has nothing else to give',
      ['sh', '-c', 'echo no entry >&2'],
      'the output of the command sh is empty: no entry',
    ],
    ['of an output that is no text', ['printf', '\\344'], 'the output of the command printf holds no UTF-8 text'],
    ['of an output too long', ['sh', '-c', 'yes hunter2'], 'the command sh writes more than 64 KiB'],
    [
      'of a missing program',
      ['chain407-no-such-program'],
      'the command chain407-no-such-program cannot be started: there is no such program; give its full path, or put its folder into PATH',
    ],
    [
      'of a program that may not be run',
      ['./plain'],
      'the command ./plain cannot be started: it is not executable for this user',
    ],
    [
      'that steers no terminal',
      ['sh', '-c', 'printf "\\033[2Jgone" >&2; exit 1'],
      'the command sh failed with exit status 1: \ufffd[2Jgone',
    ],
    [
      'that is short',
      ['sh', '-c', 'printf %01000d 0 >&2; exit 1'],
      `the command sh failed with exit status 1: ${'0'.repeat(200)}`,
    ],
  ])('%s', async (_what, argv, message) => {
    writeFileSync(join(folder, 'plain'), 'no program', { mode: 0o644 });
    expect(await read(argv)).toBe(message);
  });

  test('without its arguments and its output, which may be secret', async () => {
    for (const end of ['exit 1', 'kill -9 $$', 'printf "\\344"', 'yes hunter2']) {
      expect(await read(['sh', '-c', `echo hunter2; ${end}`, 'hunter2'])).not.toContain('hunter2');
    }
  });

  test('of a time-out, and all that it has started is ended', async () => {
    const pids = join(folder, 'pids');
    const message = await read(['sh', '-c', `sleep 600 & echo $! > "${pids}"; wait`], { timeout: 1000 });
    expect(message).toBe('the command sh did not end within 1 s');
    const child = Number(readFileSync(pids, 'utf8'));
    await gone(child);
  });

  test('of its end, when nobody waits for it any more', async () => {
    const stopping = new AbortController();
    const reading = read(['sleep', '600'], { signal: stopping.signal });
    stopping.abort();
    expect(await reading).toBe('the command sleep was ended, as nobody waits for it any more');
    expect(await read(['sleep', '600'], { signal: stopping.signal })).toMatch(/^the command sleep was ended/);
  });
});

/** Resolves when there is no such process any more; one that has ended and that nobody has collected counts as gone. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
      if (/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) return;
    } catch {
      return;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a keyring', () => {
  const remedy = 'install the optional package @napi-rs/keyring, or take the secret from a file';

  /** A keyring whose every entry answers so. */
  const keyring =
    (answer: (service: string, account: string) => Promise<string | null>) => async (): Promise<Keyring> => ({
      AsyncEntry: class {
        readonly #names: [string, string];
        constructor(service: string, account: string) {
          this.#names = [service, account];
        }
        getPassword(): Promise<string | null> {
          return answer(...this.#names);
        }
      },
    });

  async function readFrom(load: () => Promise<Keyring>, timeout?: number): Promise<string> {
    const result = await readKeyring('corp', 'alice', load, timeout);
    return result.ok ? result.secret.reveal() : result.message;
  }

  test('gives the password of a service and account', async () => {
    expect(await readFrom(keyring(async (...names) => names.join('+')))).toBe('corp+alice');
  });

  test.each<[string, () => Promise<Keyring>, RegExp]>([
    [
      'is not installed',
      () => Promise.reject(new Error('Cannot find package')),
      new RegExp(`cannot be used: ${remedy}$`),
    ],
    [
      'has no such entry',
      keyring(async () => null),
      /^the keyring has no password for the account alice of corp: store it there/,
    ],
    ['has an empty one', keyring(async () => ''), /^the keyring has an empty password for the account alice of corp$/],
    [
      'cannot be reached',
      keyring(() => Promise.reject(new Error('DBus error'))),
      /^the keyring cannot be read: DBus error; is a keyring service running and unlocked for this user\?$/,
    ],
  ])('that %s is a message with the remedy', async (_what, load, message) => {
    expect(await readFrom(load)).toMatch(message);
  });

  test('that does not answer is a message, too', async () => {
    expect(
      await readFrom(
        keyring(() => new Promise(() => undefined)),
        50,
      ),
    ).toBe('the keyring does not answer within 0.05 s: unlock it');
  });

  test('of this machine, whatever it is, is asked without a throw', async () => {
    const result = await readKeyring('chain407-test-of-nothing', 'nobody');
    expect(result).toEqual({
      ok: false,
      message: expect.stringMatching(/^the keyring (cannot be used|cannot be read|has no password)/),
    });
  });
});
