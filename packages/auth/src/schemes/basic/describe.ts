import type { Credentials } from '../../message.ts';
import { MASK } from '../../secret.ts';
import { decodeBasic } from './wire.ts';

/** The fields of Basic credentials that may be shown. */
export function describeBasic(credentials: Credentials): Record<string, string> {
  const decoded = decodeBasic(credentials);
  return decoded.ok ? { username: decoded.userPass.username, password: MASK } : { malformed: decoded.why };
}
