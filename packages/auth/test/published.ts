import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

/**
 * Tests of vectors that others have published or that were recorded, from a folder outside of this repository:
 * `CHAIN407_DATA`, with a file `auth-vectors.json`. No row is passed over: whoever has no use for one fails.
 */
export function describePublished<V>(what: string, tests: (vectors: V) => void): void {
  const folder = process.env.CHAIN407_DATA ?? '';
  describe(`${what} that others have published`, () => {
    if (folder !== '') tests(JSON.parse(readFileSync(join(folder, 'auth-vectors.json'), 'utf8')) as V);
    else {
      test('are NOT read: CHAIN407_DATA names no folder, and in CI it says so by being empty', () => {
        const inCI = !/^(?:|0|false)$/.test(process.env.CI ?? '');
        expect(inCI && process.env.CHAIN407_DATA === undefined).toBe(false);
      });
    }
  });
}
