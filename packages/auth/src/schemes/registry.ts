import type { Challenge, Credentials, SchemeName } from '../message.ts';
import { MASK } from '../secret.ts';
import { decodeBasic } from './basic/wire.ts';
import { describeBearer } from './bearer/describe.ts';
import { describeDigest } from './digest/describe.ts';
import { describeNegotiate } from './negotiate/describe.ts';
import { describeNtlm } from './ntlm/describe.ts';

/** What is known of a scheme without configuration. A scheme that has no row is handled as opaque. */
export interface SchemeEntry {
  readonly name: SchemeName;
  /** The fields of its credentials that may be shown. */
  describe(credentials: Credentials): Record<string, string>;
  /** The same of a token in its challenges; absent: they have none. */
  describeToken?(token68: string): Record<string, string>;
}

const basic: SchemeEntry = {
  name: 'basic',
  describe: (credentials) => {
    const decoded = decodeBasic(credentials);
    return decoded.ok ? { username: decoded.userPass.username, password: MASK } : { malformed: decoded.why };
  },
};

const bearer: SchemeEntry = { name: 'bearer', describe: describeBearer };

const ntlm: SchemeEntry = {
  name: 'ntlm',
  describeToken: describeNtlm,
  describe: ({ token68 }) => (token68 === undefined ? {} : describeNtlm(token68)),
};

const digest: SchemeEntry = { name: 'digest', describe: describeDigest };

/** Windows proxies take tokens of NTLM under this name, too (MS-NTHT). */
const negotiateToken = (token68: string): Record<string, string> => describeNegotiate(token68, describeNtlm);

const negotiate: SchemeEntry = {
  name: 'negotiate',
  describeToken: negotiateToken,
  describe: ({ token68 }) => (token68 === undefined ? {} : negotiateToken(token68)),
};

const REGISTRY: ReadonlyMap<string, SchemeEntry> = new Map(
  [basic, bearer, digest, ntlm, negotiate].map((entry) => [entry.name, entry]),
);

/** Schemes whose exchange, and afterwards whose user, belongs to one connection (RFC 4559 §6, MS-NTHT). */
const CONNECTION_BOUND: ReadonlySet<string> = new Set(['ntlm', 'negotiate', 'kerberos']);

/** True where a hop that relays such credentials must give the client a connection of its own. */
export function isConnectionBound(scheme: SchemeName): boolean {
  return CONNECTION_BOUND.has(scheme);
}

/** The fields of a challenge: its parameters, and what a token in it says. Nothing in a challenge is a secret. */
export function describeChallengeOf({ scheme, token68, params }: Challenge): Record<string, string> {
  if (token68 === undefined) return Object.fromEntries(params);
  return REGISTRY.get(scheme)?.describeToken?.(token68) ?? { token: token68 };
}

/** The fields of credentials that may be shown; of a scheme we do not know, none. */
export function describeCredentialsOf(credentials: Credentials): Record<string, string> {
  return REGISTRY.get(credentials.scheme)?.describe(credentials) ?? { credentials: MASK };
}
