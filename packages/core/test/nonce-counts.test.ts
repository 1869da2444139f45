import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { NonceCounts } from '../src/state-store/nonce-counts.ts';

const LATER = 1000;

describe('the counts of a nonce', () => {
  test.each<{ what: string; counts: readonly number[]; fresh: readonly boolean[] }>([
    { what: 'each is good once', counts: [1, 2, 2, 1, 3], fresh: [true, true, false, false, true] },
    { what: 'one may overtake another', counts: [5, 3, 4, 3], fresh: [true, true, true, false] },
    { what: 'one that is too far behind passes for used', counts: [2000, 976, 977], fresh: [true, false, true] },
    { what: 'what leaves the window and comes back is not fresh', counts: [1, 1025, 1], fresh: [true, true, false] },
    { what: 'the same place of the window is another count', counts: [1, 1025, 1025], fresh: [true, true, false] },
    { what: 'a leap to the end', counts: [1, 0xfffff, 0xfffff, 0xffffe], fresh: [true, true, false, true] },
    { what: 'beyond the end all pass for used', counts: [0x100000, 0xffffffff], fresh: [false, false] },
  ])('$what', ({ counts, fresh }) => {
    const used = new NonceCounts(() => 0);
    expect(counts.map((nc) => used.use('n', nc, LATER))).toEqual(fresh);
  });

  test('are apart for each nonce', () => {
    const used = new NonceCounts(() => 0);
    expect(['a', 'b', 'a'].map((nonce) => used.use(nonce, 1, LATER))).toEqual([true, true, false]);
  });

  test('are forgotten when the nonce has ended', () => {
    let now = 0;
    const used = new NonceCounts(() => now);
    used.use('a', 1, LATER);
    now = LATER;
    used.use('b', 1, 2 * LATER);
    expect(used.size).toBe(1);
  });

  test('none is ever good twice, in whatever order they come', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5000 })), (counts) => {
        const used = new NonceCounts(() => 0);
        const taken = counts.filter((nc) => used.use('n', nc, LATER));
        expect(new Set(taken).size).toBe(taken.length);
      }),
    );
  });
});
