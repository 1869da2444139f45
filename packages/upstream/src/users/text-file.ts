import { readFileSync } from 'node:fs';
import { whyUnreadable } from '@chain407/core';

export type ReadText = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly message: string };

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Reads a file of users, which must be in UTF-8. */
export function readText(path: string): ReadText {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    return { ok: false, message: `${path} cannot be read: ${whyUnreadable(error)}` };
  }
  try {
    return { ok: true, text: utf8.decode(bytes) };
  } catch {
    return { ok: false, message: `${path} is not in UTF-8: convert it, for instance by iconv -t UTF-8` };
  }
}

/** The lines that say something, with their numbers from 1: empty ones and `#` comments are left out. */
export function* linesOf(text: string): Generator<readonly [number: number, line: string]> {
  for (const [i, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line !== '' && !line.startsWith('#')) yield [i + 1, line];
  }
}
