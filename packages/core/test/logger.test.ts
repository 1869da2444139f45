import { Secret } from '@chain407/auth';
import { createLogger, LOG_LEVELS } from '@chain407/core';
import { describe, expect, test } from '@jest/globals';

const PASSWORD = 'correct-horse';
const ENCODED = Buffer.from(PASSWORD).toString('base64');
const secret = new Secret(PASSWORD);

function written(log: (logger: ReturnType<typeof createLogger>) => void): string {
  let text = '';
  const write = (line: string): void => {
    text += line;
  };
  log(createLogger('trace', { write }));
  return text;
}

class Holder {
  readonly secret = secret;
  readonly #hidden = PASSWORD;
  get length(): number {
    return this.#hidden.length;
  }
}

describe('a log line shows no secret', () => {
  test.each([
    ['a secret', { secret }],
    ['a nested secret', { a: { b: { c: [{ secret }] } } }],
    ['a secret in an instance', { holder: new Holder() }],
    ['a secret in an error', { err: Object.assign(new Error('x'), { secret, nested: { secret } }) }],
    [
      'a secret in the cause of an error',
      { err: new Error('x', { cause: Object.assign(new Error('y'), { secret }) }) },
    ],
    ['a secret as its own line', secret],
    ['a password that is text', { password: PASSWORD }],
    ['a password that is text, one level down', { user: { name: 'alice', password: PASSWORD } }],
    ['a token that is text', { token: ENCODED, credentials: { token: ENCODED } }],
    ['a map of secrets', { map: new Map([['a', secret]]), set: new Set([secret]) }],
  ])('of %s', (_name, facts) => {
    for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const) {
      const text = written((logger) => logger[level](facts, 'message'));
      expect(JSON.parse(text)).toMatchObject({ msg: 'message' });
      expect(text.includes(PASSWORD) || text.includes(ENCODED)).toBe(false);
    }
  });

  test('in a message, nor in the values of one', () => {
    const text = written((logger) => logger.info({ a: 1 }, '%s %j %o', secret, { secret }, [secret]));
    expect(text).toContain('[secret]');
    expect(text).not.toContain(PASSWORD);
  });

  test('in what a child logger is bound to', () => {
    const text = written((logger) => logger.child({ secret, user: { password: PASSWORD } }).info('x'));
    expect(text.split('[secret]')).toHaveLength(3);
    expect(text).not.toContain(PASSWORD);
  });
});

test('lines are JSON with their level, and without process and host', () => {
  const line = JSON.parse(written((logger) => logger.warn({ a: 1 }, 'b'))) as Record<string, unknown>;
  expect(line).toEqual({ level: 40, time: expect.any(Number), a: 1, msg: 'b' });
});

test.each(LOG_LEVELS)('a logger of level %s writes that level and those above', (level) => {
  const lines: string[] = [];
  const logger = createLogger(level, { write: (line) => lines.push(line) });
  const wanted = LOG_LEVELS.slice(LOG_LEVELS.indexOf(level)).filter((name) => name !== 'silent');
  for (const name of LOG_LEVELS) if (name !== 'silent') logger[name](name);
  expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(wanted);
});
