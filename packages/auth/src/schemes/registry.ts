import type { Credentials, SchemeName } from '../message.ts';
import type { Binding } from '../scheme.ts';
import { describeBasic } from './basic/describe.ts';
import { describeBearer } from './bearer/describe.ts';
import { describeDigest } from './digest/describe.ts';
import { describeNegotiate } from './negotiate/describe.ts';
import { describeNtlm } from './ntlm/describe.ts';

/** What is known of a scheme without configuration. A scheme that has no row is handled as opaque. */
export interface SchemeEntry {
  readonly name: SchemeName;
  readonly binding: Binding;
  /** The fields of its credentials that may be shown; absent: those of their token. */
  readonly describe?: (credentials: Credentials) => Record<string, string>;
  /** The same of a token, of either direction; absent: nothing is known of it. */
  readonly describeToken?: (token68: string) => Record<string, string>;
}

const ENTRIES: readonly SchemeEntry[] = [
  { name: 'basic', binding: 'message', describe: describeBasic },
  { name: 'bearer', binding: 'message', describe: describeBearer },
  { name: 'digest', binding: 'message', describe: describeDigest },
  { name: 'ntlm', binding: 'connection', describeToken: describeNtlm },
  // Windows proxies take tokens of NTLM under this name, too (MS-NTHT).
  { name: 'negotiate', binding: 'connection', describeToken: (token68) => describeNegotiate(token68, describeNtlm) },
  { name: 'kerberos', binding: 'connection' },
];

const REGISTRY: ReadonlyMap<string, SchemeEntry> = new Map(ENTRIES.map((entry) => [entry.name, entry]));

export function schemeEntry(scheme: SchemeName): SchemeEntry | undefined {
  return REGISTRY.get(scheme);
}

/**
 * True where a hop that relays such credentials must give the client a connection of its own: the exchange, and
 * afterwards the user, belongs to one connection (RFC 4559 §6, MS-NTHT).
 */
export function isConnectionBound(scheme: SchemeName): boolean {
  return schemeEntry(scheme)?.binding === 'connection';
}
