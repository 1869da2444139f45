import { configFromObject, validate } from '@chain407/core';
import { expect, test } from '@jest/globals';
import { upstreamSchema } from '../src/config.ts';

const USERS = [{ name: 'alice', password: { value: 'x' } }];
const HELPER = ['/usr/lib/squid/some_helper'];

/** What each key alone cannot show. */
test.each([
  ['nobody who could use it', {}, 'users: expected at least one user'],
  [
    'a helper for a scheme that is not offered',
    { auth: { helpers: { ntlm: HELPER } }, users: USERS },
    'auth.helpers.ntlm: expected ntlm among auth.schemes',
  ],
  [
    'a helper for handshakes with channel-IDs',
    { auth: { schemes: ['ntlm'], helpers: { ntlm: { argv: HELPER, concurrency: 5 } } } },
    'auth.helpers.ntlm.concurrency: unknown key "concurrency", expected one of argv, children, timeout',
  ],
  [
    'a helper for Digest and hashed names',
    { auth: { schemes: ['digest'], digest: { userhash: true }, helpers: { digest: HELPER } } },
    'auth.digest.userhash: expected false beside auth.helpers.digest',
  ],
  [
    'a helper for Digest and none of the algorithms that it knows',
    { auth: { schemes: ['digest'], digest: { algorithms: ['SHA-256'] }, helpers: { digest: HELPER } } },
    'auth.digest.algorithms: expected MD5 among them',
  ],
  [
    'Negotiate without a helper',
    { auth: { schemes: ['negotiate'] }, users: USERS },
    'auth.schemes: expected auth.helpers.negotiate',
  ],
  [
    'an open proxy',
    { auth: { anonymous: true }, listen: '0.0.0.0:3129' },
    'listen: expected an address of this machine',
  ],
])('refuses %s', (_what, section, expected) => {
  const validated = validate(upstreamSchema('/'), configFromObject(section));
  const problems = validated.ok ? [] : validated.problems.map(({ path, message }) => `${path}: ${message}`);
  expect(problems).toEqual([expect.stringContaining(expected)]);
});

test('takes a helper for Digest beside the algorithms that are offered by default', () => {
  const section = { auth: { schemes: ['digest'], helpers: { digest: HELPER } } };
  expect(validate(upstreamSchema('/'), configFromObject(section)).ok).toBe(true);
});
