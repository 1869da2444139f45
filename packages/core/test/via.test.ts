import { passedBefore, viaPseudonym } from '@chain407/core';
import { describe, expect, test } from '@jest/globals';

test('two instances of one tier have two pseudonyms, both tokens', () => {
  const [one, other] = [viaPseudonym('downstream'), viaPseudonym('downstream')];
  expect(one).not.toBe(other);
  for (const name of [one, other]) expect(name).toMatch(/^downstream-[0-9a-f]{8}$/);
});

describe('a request that has passed this instance is known', () => {
  test.each([
    ['alone', ['Via', '1.1 me-1'], true],
    ['with the name of the protocol', ['via', 'HTTP/1.1 me-1'], true],
    ['with a comment', ['Via', '1.1 me-1 (Chain407)'], true],
    ['among others', ['Via', '1.0 a, 1.1 me-1,1.1 b'], true],
    ['on a second line', ['Via', '1.1 a', 'X', 'y', 'VIA', '1.1 me-1'], true],
    ['with more than one space', ['Via', '1.1 \t me-1'], true],
    ['in another letter case', ['Via', '1.1 ME-1'], true],
    ['not at all', [], false],
    ['by others only', ['Via', '1.1 me-2, 1.1 me-11, 1.1 xme-1'], false],
    ['in a comment only', ['Via', '1.1 a (me-1)'], false],
    ['in another field only', ['X-Via', '1.1 me-1'], false],
    ['as what is no entry', ['Via', 'me-1'], false],
  ])('%s', (_name, headers, passed) => {
    expect(passedBefore(headers, 'me-1')).toBe(passed);
  });

  test('by a pseudonym with capitals', () => {
    expect(passedBefore(['Via', '1.1 Me-1'], 'Me-1')).toBe(true);
  });
});
