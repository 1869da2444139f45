import { channel } from 'node:diagnostics_channel';
import type { Described } from '@chain407/auth';
import {
  describeChallenge,
  describeCredentials,
  MASK,
  parseChallenges,
  parseCredentials,
  spellScheme,
} from '@chain407/auth';
import type { RawHeaders } from './http/headers.ts';
import { valuesOf } from './http/headers.ts';

/**
 * One request and its response between two neighbours, as `chain407:leg` publishes it. Redacted when it is made: a
 * subscriber cannot see a secret. Costs nothing while nobody has subscribed.
 */
export interface Leg {
  /** The `Via` pseudonym of the instance that publishes it. */
  readonly by: string;
  /** Who sent the request and to whom: `client`, `downstream`, the name of an upstream, `upstream`, `origin`. */
  readonly from: string;
  readonly to: string;
  /** The exchange of the tier that publishes it: legs of one client request share it. */
  readonly exchange: string;
  /** The connection that carried it; legs of one connection share it. */
  readonly connection: string;
  /** Unix time in milliseconds when the request was sent, and how long until the response head. */
  readonly at: number;
  readonly ms: number;
  readonly method: string;
  /** The request-target, without userinfo. */
  readonly target: string;
  readonly requestHeaders: RawHeaders;
  readonly credentials?: Described;
  /** What the answer asks for; beside an answer that is no 407, what it says of the negotiation. */
  readonly challenges?: readonly Described[];
  /** What came back; `undefined` where the connection failed first, and `error` says how. */
  readonly status?: number;
  readonly responseHeaders: RawHeaders;
  readonly error?: string;
}

/** A leg as it was on the wire, before it is redacted. */
export type LegFacts = Omit<Leg, 'credentials' | 'challenges'>;

const legs = channel('chain407:leg');
const SENSITIVE: ReadonlySet<string> = new Set(['authorization', 'cookie', 'set-cookie', 'proxy-authorization']);

/** Whoever has it can look for the password at leisure (RFC 7616 §3.5). */
const PROOF = /\brspauth="?[0-9a-f]*"?/gi;

/** Masks the values of fields that carry secrets. */
export function redactHeaders(headers: RawHeaders): string[] {
  return headers.map((text, i) => {
    if (i % 2 === 0) return text;
    const name = (headers[i - 1] as string).toLowerCase();
    if (name === 'proxy-authentication-info') return text.replace(PROOF, `rspauth=${MASK}`);
    return SENSITIVE.has(name) ? MASK : text;
  });
}

/** The credentials of a request, decoded and masked, where it has any that can be read. */
export function credentialsOf(headers: RawHeaders): Described | undefined {
  const [line] = valuesOf(headers, 'proxy-authorization');
  if (line === undefined) return undefined;
  const parsed = parseCredentials(line);
  return parsed.ok ? describeCredentials(parsed.credentials) : { scheme: '?', fields: { malformed: MASK } };
}

/** Publishes a leg to whoever listens; `facts` is only called then. */
export function publishLeg(facts: () => LegFacts): void {
  if (!legs.hasSubscribers) return;
  const leg = facts();
  const credentials = credentialsOf(leg.requestHeaders);
  const { challenges } = parseChallenges(valuesOf(leg.responseHeaders, 'proxy-authenticate'));
  legs.publish({
    ...leg,
    requestHeaders: redactHeaders(leg.requestHeaders),
    responseHeaders: redactHeaders(leg.responseHeaders),
    ...(credentials === undefined ? {} : { credentials }),
    ...(challenges.length === 0 ? {} : { challenges: challenges.map(describeChallenge) }),
  } satisfies Leg);
}

/** Calls `listener` with every leg of this process until the returned function is called. */
export function subscribeLegs(listener: (leg: Leg) => void): () => void {
  const handler = (leg: unknown): void => listener(leg as Leg);
  legs.subscribe(handler);
  return () => legs.unsubscribe(handler);
}

/** `407 Basic, NTLM`, `200`: status and, for a 407, the schemes that were offered. */
export function outcomeOf(status: number, responseHeaders: RawHeaders): string {
  if (status !== 407) return String(status);
  const { challenges } = parseChallenges(valuesOf(responseHeaders, 'proxy-authenticate'));
  // Digest makes one challenge per algorithm.
  const schemes = new Set(challenges.map((challenge) => spellScheme(challenge.scheme)));
  return ['407', [...schemes].join(', ')].filter(Boolean).join(' ');
}
