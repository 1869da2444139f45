import type { Credentials } from '../../message.ts';
import { MASK } from '../../secret.ts';
import { jwtAlgorithm, jwtExpiry } from './jwt.ts';
import { readBearer } from './wire.ts';

/**
 * The fields of Bearer credentials that may be shown. Of a JWT these are its algorithm and its end, which is what is
 * looked for when a token is refused; whose it is and what for stays hidden, as all of an opaque token does.
 */
export function describeBearer(credentials: Credentials): Record<string, string> {
  const read = readBearer(credentials);
  if (!read.ok) return { malformed: read.why };
  const alg = jwtAlgorithm(read.token);
  const exp = isoTime(jwtExpiry(read.token));
  return { token: MASK, ...(alg === undefined ? {} : { alg }), ...(exp === undefined ? {} : { exp }) };
}

/** `undefined` for what no calendar has: 8.64e15 milliseconds on either side of 1970 (ECMA-262, Time Values). */
function isoTime(seconds: number | undefined): string | undefined {
  if (seconds === undefined || Math.abs(seconds) > 8.64e12) return undefined;
  return new Date(seconds * 1000).toISOString();
}
