import type { Credentials, SchemeName } from '../message.ts';
import { decodeBasic } from './basic/wire.ts';

/** What is known of a scheme without configuration. A scheme that has no row is handled as opaque. */
export interface SchemeEntry {
  readonly name: SchemeName;
  /** The fields of its credentials that may be shown. */
  describe(credentials: Credentials): Record<string, string>;
}

const basic: SchemeEntry = {
  name: 'basic',
  describe: (credentials) => {
    const decoded = decodeBasic(credentials);
    return decoded.ok ? { username: decoded.userPass.username, password: '[secret]' } : { malformed: decoded.why };
  },
};

const REGISTRY: ReadonlyMap<string, SchemeEntry> = new Map([[basic.name, basic]]);

/** Schemes whose exchange, and afterwards whose user, belongs to one connection (RFC 4559 §6, MS-NTHT). */
const CONNECTION_BOUND: ReadonlySet<string> = new Set(['ntlm', 'negotiate', 'kerberos']);

/** True where a hop that relays such credentials must give the client a connection of its own. */
export function isConnectionBound(scheme: SchemeName): boolean {
  return CONNECTION_BOUND.has(scheme);
}

/** The fields of credentials that may be shown; of a scheme we do not know, none. */
export function describeCredentialsOf(credentials: Credentials): Record<string, string> {
  return REGISTRY.get(credentials.scheme)?.describe(credentials) ?? { credentials: '[secret]' };
}
