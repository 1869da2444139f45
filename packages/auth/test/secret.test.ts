import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { format, inspect } from 'node:util';
import { Secret } from '@chain407/auth';
import { describe, expect, test } from '@jest/globals';

const TEXT = 'open sesame';
const secret = new Secret(TEXT);
const nested = { user: { password: secret, list: [secret], map: new Map([['password', secret]]) } };

function printed(print: (console: Console) => void): string {
  let text = '';
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  print(new Console({ stdout }));
  return text;
}

describe('a secret', () => {
  test('gives its text to who asks for it', () => {
    expect(secret.reveal()).toBe(TEXT);
  });

  test.each<[string, () => string]>([
    ['String()', () => String(secret)],
    ['a template', () => `${secret}`],
    ['concatenation', () => ['', secret].join('')],
    ['JSON.stringify', () => JSON.stringify(secret)],
    ['JSON.stringify, nested', () => JSON.stringify({ password: secret, list: [secret] })],
    ['util.inspect', () => inspect(secret)],
    ['util.inspect, nested', () => inspect(nested, { depth: null })],
    ['util.inspect, nested, with what is hidden', () => inspect(nested, { depth: null, showHidden: true })],
    ['util.format %s', () => format('%s', secret)],
    ['util.format %o', () => format('%o', secret)],
    ['util.format %O', () => format('%O', secret)],
    ['util.format %j', () => format('%j', secret)],
    ['console.log %s', () => printed((console) => console.log('%s', secret))],
    ['console.log %o', () => printed((console) => console.log('%o', nested.user))],
    ['console.log %j', () => printed((console) => console.log('%j', secret))],
    ['console.log', () => printed((console) => console.log(secret, nested.user))],
    ['console.table', () => printed((console) => console.table([[secret]]))],
    ['the message of an error', () => new Error(`bad password ${secret}`).message],
  ])('shows a mask and not its text in %s', (_name, print) => {
    expect(print()).toContain('[secret]');
    expect(print()).not.toContain(TEXT);
  });

  test.each<[string, () => unknown]>([
    ['Object.entries', () => Object.entries(secret)],
    ['Reflect.ownKeys', () => Reflect.ownKeys(secret).map((key) => Reflect.get(secret, key))],
    ['a spread', () => ({ ...secret })],
    ['Object.assign', () => Object.assign({}, secret)],
    ['structuredClone', () => structuredClone(secret)],
    ['util.inspect without the mask', () => inspect(secret, { customInspect: false, showHidden: true })],
  ])('has nothing to give to %s', (_name, take) => {
    expect(inspect(take(), { depth: null, showHidden: true, customInspect: false })).not.toContain(TEXT);
  });
});
