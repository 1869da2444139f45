import { endToEnd, linesOf, listOf, valuesOf } from '@chain407/core';
import { describe, expect, test } from '@jest/globals';

const FIELDS = ['A', '1', 'b', '2', 'a', '3, 4', 'aa', '5', 'A', ''];

test('all values of a field are found, in order, in any letter case', () => {
  expect(valuesOf(FIELDS, 'a')).toEqual(['1', '3, 4', '']);
  expect(valuesOf(FIELDS, 'c')).toEqual([]);
  expect(valuesOf(['x', 'a'], 'a')).toEqual([]);
});

test('the members of a list are found over all its lines, in lower case, without empty ones', () => {
  expect(listOf(['C', ' Close ,,\tX', 'd', 'no', 'c', '', 'c', 'close'], 'c')).toEqual(['close', 'x', 'close']);
});

test('the lines of some fields come out as they came in', () => {
  expect(linesOf(FIELDS, new Set(['a', 'b']))).toEqual(['A', '1', 'b', '2', 'a', '3, 4', 'A', '']);
});

describe('a proxy passes on', () => {
  test('order, case and repeats', () => {
    const fields = ['Set-Cookie', 'b', 'X', '', 'set-cookie', 'a', 'SET-COOKIE', 'b'];
    expect(endToEnd(fields)).toEqual(fields);
  });

  test.each([
    ...['Connection', 'Proxy-Connection', 'Keep-Alive', 'TE', 'Trailer', 'Transfer-Encoding', 'Upgrade'],
    ...['Proxy-Authenticate', 'Proxy-Authorization', 'Proxy-Authentication-Info', 'Proxy-Support'],
  ])('no %s, in any letter case', (name) => {
    const fields = ['A', '1', name, 'x', name.toLowerCase(), 'y', name.toUpperCase(), 'z', 'B', '2'];
    expect(endToEnd(fields)).toEqual(['A', '1', 'B', '2']);
  });

  test.each([
    ['x-one', ['Connection', 'x-one']],
    ['X-One in another letter case', ['connection', 'X-ONE']],
    ['x-one among others', ['Connection', 'close, x-one ,keep-alive']],
    ['x-one on a second line', ['Connection', 'close', 'CONNECTION', 'x-one']],
  ])('no field that Connection names: %s', (_name, connection) => {
    const fields = ['X-One', '1', ...connection, 'x-one', '2', 'X-Other', '3'];
    expect(endToEnd(fields)).toEqual(['X-Other', '3']);
  });

  test('the length of a body, although Connection names it: the body would be the next request', () => {
    expect(endToEnd(['Connection', 'Content-Length, X', 'Content-Length', '3', 'X', 'y'])).toEqual([
      'Content-Length',
      '3',
    ]);
  });

  test('no field that the caller writes itself', () => {
    expect(endToEnd(['Host', 'a', 'HOST', 'b', 'Via', 'c', 'X', 'd'], new Set(['host', 'via']))).toEqual(['X', 'd']);
  });

  test('fields whose names objects have of their own', () => {
    const fields = ['constructor', '1', '__proto__', '2', 'toString', '3'];
    expect(endToEnd(fields)).toEqual(fields);
  });
});
