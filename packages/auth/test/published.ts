import { describe, expect, test } from '@jest/globals';
import { dataIsMissed, publishedFile } from './published-file.ts';

/**
 * Tests of vectors that others have published or that were recorded, in a file `auth-vectors.json`. No row is passed over:
 * whoever has no use for one fails.
 */
export function describePublished<V>(what: string, tests: (vectors: V) => void): void {
  const vectors = publishedFile('auth-vectors.json');
  describe(`${what} that others have published`, () => {
    if (vectors !== undefined) tests(vectors as V);
    else {
      test('are NOT read: CHAIN407_DATA names no folder, and in CI it says so by being empty', () => {
        expect(dataIsMissed()).toBe(false);
      });
    }
  });
}
