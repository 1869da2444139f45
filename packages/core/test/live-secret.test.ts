import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '@chain407/auth';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { SecretSource } from '../src/config/secret-source.ts';
import type { Keyring } from '../src/secrets/keyring-secret.ts';
import type { LiveSecret, SecretOptions } from '../src/secrets/live-secret.ts';
import { openSecret } from '../src/secrets/live-secret.ts';

const root = mkdtempSync(join(tmpdir(), 'chain407-live-'));
afterAll(() => rmSync(root, { recursive: true }));

let folder: string;
let opened: LiveSecret[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(root, 'test-'));
});
afterEach(() => {
  for (const secret of opened) secret.close();
  opened = [];
});

async function open(source: SecretSource, options: SecretOptions = {}): Promise<LiveSecret> {
  const result = await openSecret(source, options);
  if (!result.ok) throw new Error(result.message);
  opened.push(result.secret);
  return result.secret;
}

/** Resolves with the next secret. */
const changed = (secret: LiveSecret): Promise<string> =>
  new Promise((resolve) => {
    const stop = secret.onChange((next) => {
      stop();
      resolve(next.reveal());
    });
  });

/** Resolves with the next problem. */
function problems(): {
  readonly onProblem: (message: string) => void;
  readonly all: string[];
  next(): Promise<string>;
} {
  const all: string[] = [];
  let told: ((message: string) => void) | undefined;
  return {
    all,
    onProblem: (message) => {
      all.push(message);
      told?.(message);
    },
    next: () =>
      new Promise((resolve) => {
        told = resolve;
      }),
  };
}

const at = (...names: string[]): string => join(folder, ...names);
const file = (...names: string[]): SecretSource => ({ kind: 'file', path: at(...names) });
const command = (...argv: [string, ...string[]]): SecretSource => ({ kind: 'command', argv, folder });

/** Far apart, so that what is seen at once was told by the system. */
const TOLD = { pollInterval: 3_600_000 };
/** And where the system tells nothing. */
const LOOKED = { pollInterval: 20 };

describe('a secret in a file is followed', () => {
  beforeEach(() => writeFileSync(at('secret'), 'old\n'));

  test('when the file is written again', async () => {
    const secret = await open(file('secret'), TOLD);
    expect(secret.current.reveal()).toBe('old');
    const next = changed(secret);
    writeFileSync(at('secret'), 'new\n');
    expect(await next).toBe('new');
    expect(secret.current.reveal()).toBe('new');
  });

  test('when another file takes its place by a rename, time and again', async () => {
    const secret = await open(file('secret'), TOLD);
    for (const text of ['first', 'second', 'third']) {
      const next = changed(secret);
      writeFileSync(at('.secret.tmp'), text);
      renameSync(at('.secret.tmp'), at('secret'));
      expect(await next).toBe(text);
    }
  });

  test('when it is removed and made again', async () => {
    const { onProblem, next } = problems();
    const secret = await open(file('secret'), { ...TOLD, onProblem });
    const problem = next();
    unlinkSync(at('secret'));
    expect(await problem).toBe(`the file ${at('secret')} cannot be read: there is no such file`);
    expect(secret.current.reveal()).toBe('old');
    const change = changed(secret);
    writeFileSync(at('secret'), 'new');
    expect(await change).toBe('new');
  });

  test('when ..data is swapped, as Kubernetes does with the volume of a secret', async () => {
    const version = (name: string, text: string): void => {
      mkdirSync(at('volume', name), { recursive: true });
      writeFileSync(at('volume', name, 'password'), text);
      symlinkSync(name, at('volume', '..data_tmp'));
      renameSync(at('volume', '..data_tmp'), at('volume', '..data'));
    };
    version('..2024_01', 'old');
    symlinkSync(join('..data', 'password'), at('volume', 'password'));
    const secret = await open(file('volume', 'password'), TOLD);
    for (const [name, text] of [
      ['..2024_02', 'new'],
      ['..2024_03', 'newer'],
    ] as const) {
      const next = changed(secret);
      version(name, text);
      expect(await next).toBe(text);
    }
  });

  test('when it stands behind links in other folders, of which the system tells nothing', async () => {
    for (const name of ['one', 'two']) mkdirSync(at(name));
    writeFileSync(at('one', 'secret'), 'old');
    writeFileSync(at('two', 'secret'), 'new');
    mkdirSync(at('links'));
    symlinkSync(at('one'), at('links', 'current'));
    const secret = await open(file('links', 'current', 'secret'), LOOKED);
    const next = changed(secret);
    symlinkSync(at('two'), at('links', 'next'));
    renameSync(at('links', 'next'), at('links', 'current'));
    expect(await next).toBe('new');
    const again = changed(secret);
    writeFileSync(at('two', 'secret'), 'newer');
    expect(await again).toBe('newer');
  });

  test('when its whole folder goes away for a time', async () => {
    mkdirSync(at('mount'));
    writeFileSync(at('mount', 'secret'), 'old');
    const { onProblem, next } = problems();
    const secret = await open(file('mount', 'secret'), { ...LOOKED, onProblem });
    const problem = next();
    renameSync(at('mount'), at('gone'));
    expect(await problem).toContain('there is no such file');
    const change = changed(secret);
    mkdirSync(at('mount'));
    writeFileSync(at('mount', 'secret'), 'new');
    expect(await change).toBe('new');
  });

  test('and is not lost while the file is empty', async () => {
    const { onProblem, next } = problems();
    const secret = await open(file('secret'), { ...TOLD, onProblem });
    const problem = next();
    writeFileSync(at('secret'), '');
    expect(await problem).toBe(`the file ${at('secret')} is empty`);
    expect(secret.current.reveal()).toBe('old');
    const change = changed(secret);
    writeFileSync(at('secret'), 'new');
    expect(await change).toBe('new');
  });

  test('without a word where another file has the same text', async () => {
    const { onProblem, all } = problems();
    const secret = await open(file('secret'), { ...TOLD, onProblem });
    const heard: string[] = [];
    secret.onChange((next) => heard.push(next.reveal()));
    writeFileSync(at('.same'), 'old');
    renameSync(at('.same'), at('secret'));
    expect(await secret.refresh()).toBe(false);
    const next = changed(secret);
    writeFileSync(at('secret'), 'new');
    expect(await next).toBe('new');
    expect([heard, all]).toEqual([['new'], []]);
  });

  test('until it is closed', async () => {
    const secret = await open(file('secret'), LOOKED);
    const witness = await open(file('secret'), LOOKED);
    const heard: string[] = [];
    secret.onChange((next) => heard.push(next.reveal()));
    secret.close();
    const next = changed(witness);
    writeFileSync(at('secret'), 'new');
    expect(await next).toBe('new');
    expect(await secret.refresh()).toBe(false);
    expect([secret.current.reveal(), heard]).toEqual(['old', []]);
  });

  test('and keeps no process alive', async () => {
    const code = `
      import { openSecret } from ${JSON.stringify(new URL('../dist/secrets/live-secret.js', import.meta.url).href)};
      const opened = await openSecret({ kind: 'file', path: process.argv[1] }, {});
      console.log(opened.secret.current.reveal());`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', code, at('secret')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const said: Buffer[] = [];
    child.stdout.on('data', (bytes) => said.push(bytes));
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(Buffer.concat(said).toString()).toBe('old\n');
  });
});

describe('a secret that is asked for again after a rejection', () => {
  test('of a file is the new one at once, though nothing has been told yet', async () => {
    writeFileSync(at('secret'), 'old');
    const secret = await open(file('secret'), TOLD);
    writeFileSync(at('secret'), 'new');
    expect(await secret.refresh()).toBe(true);
    expect(secret.current.reveal()).toBe('new');
    expect(await secret.refresh()).toBe(false);
  });

  test('of a command is what it says now', async () => {
    writeFileSync(at('token'), 'first');
    const secret = await open(command('cat', 'token'));
    expect(await secret.refresh()).toBe(false);
    writeFileSync(at('token'), 'second');
    expect(secret.current.reveal()).toBe('first');
    expect((await secret.renew()).reveal()).toBe('second');
  });

  test('by many at a time runs the command once', async () => {
    const secret = await open(command('sh', '-c', 'echo run >> runs; grep -c run runs'));
    const asked = await Promise.all(Array.from({ length: 50 }, () => secret.refresh()));
    expect(asked).toEqual(Array.from({ length: 50 }, () => true));
    expect(secret.current.reveal()).toBe('2');
  });

  test('stays the old one where it cannot be had, and says why once', async () => {
    const { onProblem, all } = problems();
    writeFileSync(at('token'), 'first');
    const secret = await open(command('cat', 'token'), { onProblem });
    unlinkSync(at('token'));
    expect(await secret.refresh()).toBe(false);
    expect(await secret.refresh()).toBe(false);
    expect(secret.current.reveal()).toBe('first');
    expect(all).toEqual([expect.stringMatching(/^the command cat failed with exit status 1: cat: .*token/)]);
    writeFileSync(at('token'), 'first');
    expect(await secret.refresh()).toBe(false);
    unlinkSync(at('token'));
    await secret.refresh();
    expect(all).toHaveLength(2);
  });

  test('of a keyring is read again', async () => {
    const passwords = ['first', 'second'];
    const keyring: Keyring = {
      AsyncEntry: class {
        getPassword = async (): Promise<string | null> => passwords.shift() ?? null;
      },
    };
    const secret = await open(
      { kind: 'keyring', service: 'corp', account: 'alice' },
      { loadKeyring: async () => keyring },
    );
    expect(secret.current.reveal()).toBe('first');
    expect(await secret.refresh()).toBe(true);
    expect(secret.current.reveal()).toBe('second');
    expect(await secret.refresh()).toBe(false);
    expect(secret.current.reveal()).toBe('second');
  });

  test.each<[string, SecretSource]>([
    ['a value', { kind: 'value', secret: new Secret('hunter2') }],
    ['the environment', { kind: 'env', name: 'CHAIN407_LIVE_SECRET' }],
  ])('of %s is the same', async (_what, source) => {
    process.env.CHAIN407_LIVE_SECRET = 'hunter2';
    try {
      const secret = await open(source);
      process.env.CHAIN407_LIVE_SECRET = 'other';
      expect(await secret.refresh()).toBe(false);
      expect(secret.current.reveal()).toBe('hunter2');
    } finally {
      delete process.env.CHAIN407_LIVE_SECRET;
    }
  });
});

describe('a command with a lifetime', () => {
  test('is run again when that is over, and again', async () => {
    const secret = await open(command('sh', '-c', 'echo run >> runs; grep -c run runs'), { lifetime: 10 });
    expect(secret.current.reveal()).toBe('1');
    expect(await changed(secret)).toBe('2');
    expect(await changed(secret)).toBe('3');
  });

  test('is tried again after it has failed', async () => {
    writeFileSync(at('token'), 'first');
    const { onProblem, next } = problems();
    const secret = await open(command('cat', 'token'), { lifetime: 10, onProblem });
    const problem = next();
    unlinkSync(at('token'));
    expect(await problem).toContain('the command cat failed');
    const change = changed(secret);
    writeFileSync(at('.token'), 'second');
    renameSync(at('.token'), at('token'));
    expect(await change).toBe('second');
  });
});

describe('a command that is running', () => {
  test('is ended when the secret is closed, and nothing is said of it', async () => {
    const { onProblem, all } = problems();
    writeFileSync(at('token'), 'first');
    const secret = await open(command('sh', '-c', 'cat token && { test ! -f hang || sleep 600; }'), { onProblem });
    writeFileSync(at('hang'), '');
    const refreshed = secret.refresh();
    secret.close();
    expect(await refreshed).toBe(false);
    expect([secret.current.reveal(), all]).toEqual(['first', []]);
  });
});

describe('a secret that cannot be had from the start', () => {
  test.each<[string, () => SecretSource, RegExp]>([
    ['a file', () => file('none'), /^the file .*none cannot be read: there is no such file$/],
    ['a command', () => command('false'), /^the command false failed with exit status 1$/],
    [
      'a variable',
      () => ({ kind: 'env', name: 'CHAIN407_NO_SUCH_VARIABLE' }),
      /^the environment variable CHAIN407_NO_SUCH_VARIABLE is not set$/,
    ],
  ])('is a message: %s', async (_what, source, message) => {
    expect(await openSecret(source())).toEqual({ ok: false, message: expect.stringMatching(message) });
  });

  test('for want of time is a message, too', async () => {
    const result = await openSecret(command('sleep', '600'), { commandTimeout: 50 });
    expect(result).toEqual({ ok: false, message: 'the command sleep did not end within 0.05 s' });
  });
});

test('a pipe is read once, and not waited for again', async () => {
  const fifo = at('fifo');
  expect(await once(spawn('mkfifo', [fifo]), 'close')).toEqual([0, null]);
  const written = once(spawn('sh', ['-c', 'echo hunter2 > "$1"', 'sh', fifo]), 'close');
  const secret = await open(file('fifo'));
  await written;
  expect(await secret.refresh()).toBe(false);
  expect(secret.current.reveal()).toBe('hunter2');
});
