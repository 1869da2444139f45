import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { Secret } from '@chain407/auth';
import { EXIT, Exit } from './exit.ts';

/** Reads a password: asks on a terminal without echo, otherwise takes the first line of stdin. */
export async function readPassword(question: string): Promise<Secret> {
  const onTerminal = process.stdin.isTTY === true;
  // readline echoes what is typed to its output: one that swallows everything keeps the password off the screen.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  if (onTerminal) process.stderr.write(question);
  const lines = createInterface({ input: process.stdin, output: silent, terminal: onTerminal });
  const [line] = await Promise.race([once(lines, 'line'), once(lines, 'close').then(() => [undefined])]);
  lines.close();
  if (onTerminal) process.stderr.write('\n');
  if (typeof line !== 'string' || line === '') throw new Exit(EXIT.usage, 'expected a password on standard input');
  return new Secret(line);
}
