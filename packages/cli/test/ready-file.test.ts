import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { removeReadyFile, writeReadyFile } from '../src/ready-file.ts';

const READY = { downstream: { url: 'http://127.0.0.1:3128' }, pid: 407 };
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chain407-ready-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a file is replaced whole, and goes', () => {
  const file = join(folder, 'ready.json');
  writeReadyFile(file, { pid: 1 });
  writeReadyFile(file, READY);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(READY);
  removeReadyFile(file);
  expect(readdirSync(folder)).toEqual([]);
});

test('a pipe is written to, and stays', () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const reader = openSync(pipe, 'r+');
  const bytes = Buffer.alloc(1000);
  writeReadyFile(pipe, READY);
  const length = readSync(reader, bytes);
  closeSync(reader);
  expect(JSON.parse(bytes.toString('utf8', 0, length))).toEqual(READY);
  removeReadyFile(pipe);
  expect(existsSync(pipe)).toBe(true);
});

test('a link, as /dev/stdout is one, is written through, and stays', () => {
  const [file, link] = [join(folder, 'file'), join(folder, 'link')];
  writeFileSync(file, '');
  symlinkSync(file, link);
  writeReadyFile(link, READY);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(READY);
  removeReadyFile(link);
  expect(readdirSync(folder).sort()).toEqual(['file', 'link']);
});

test('a folder cannot be written to, and that is said with its name', () => {
  expect(() => writeReadyFile(folder, READY)).toThrow(`cannot write the ready file ${folder}: `);
});
