import { isConnectionBound, parseCredentials } from '@chain407/auth';
import type { Credential } from './account/credentials.ts';

export const IDENTITY_MODES = ['relay', 'substitute', 'relay-else-substitute', 'none'] as const;
export type IdentityMode = (typeof IDENTITY_MODES)[number];

export const REJECTED_POLICIES = ['407', '502', 'ask'] as const;
/** What the client gets when our own credentials are refused. */
export type RejectedPolicy = (typeof REJECTED_POLICIES)[number];

/** On whose behalf a request goes to the upstream. HTTP has room for one set of credentials: this says whose. */
export type Identity =
  /** Nobody's: what the client sent is removed. */
  | { readonly kind: 'none' }
  /** The client's own, as they came; the upstream's 407 goes back to it. */
  | { readonly kind: 'relay'; readonly line: string | undefined }
  /** Ours. `answerable`: should ours be refused, the client's answer to a challenge would be relayed. */
  | { readonly kind: 'own'; readonly credential: Credential; readonly answerable: boolean };

export interface IdentityQuestion {
  readonly mode: IdentityMode;
  readonly rejected: RejectedPolicy;
  /** The value of the client's `Proxy-Authorization`. */
  readonly line: string | undefined;
  /** The client's connection has one to the upstream for itself, since it sent credentials that log a connection in. */
  readonly pinned: boolean;
  /** What the upstream's configuration names. */
  readonly credential: Credential | undefined;
}

const NONE: Identity = { kind: 'none' };

export function chooseIdentity({ mode, rejected, line, pinned, credential }: IdentityQuestion): Identity {
  if (mode === 'none') return NONE;
  // Whoever has logged its connection in says so once (MS-NTHT §1.3.1): what follows without credentials is the same user's.
  if (pinned) return { kind: 'relay', line };
  if (mode === 'relay' || (mode === 'relay-else-substitute' && line !== undefined)) return { kind: 'relay', line };
  if (credential === undefined) return NONE;
  // `ask`: while ours are refused, the client is asked in our place, and its answer goes through.
  if (rejected === 'ask' && credential.guard.closed() !== undefined) return { kind: 'relay', line };
  return { kind: 'own', credential, answerable: mode === 'relay-else-substitute' || rejected === 'ask' };
}

/**
 * The part of a pool key that says whose connection it is. Relayed credentials are told apart by the text that stays
 * the same from request to request: a token68, or a user name.
 */
export function identityKey(identity: Identity): string {
  switch (identity.kind) {
    case 'none':
      return 'none';
    case 'own':
      return `own ${identity.credential.name}`;
    case 'relay':
      return identity.line === undefined ? 'none' : `relay ${relayedKey(identity.line)}`;
    default:
      return identity satisfies never;
  }
}

/** Whom an idle connection to an upstream may serve: this identity alone, and once a scheme has spoken on it, that scheme. */
export function poolKey(upstream: string, identity: Identity, scheme: string | undefined): string {
  // Before any credentials of ours have gone out on it, a connection is nobody's.
  if (scheme === undefined) return `${upstream} ${identity.kind === 'own' ? 'none' : identityKey(identity)}`;
  return `${upstream} ${identityKey(identity)} ${scheme}`;
}

function relayedKey(line: string): string {
  const parsed = parseCredentials(line);
  if (!parsed.ok) return line;
  const { scheme, token68, params } = parsed.credentials;
  return `${scheme} ${token68 ?? params.get('username') ?? line}`;
}

/** True where relayed credentials log a connection in, not a request. */
export function bindsConnection(identity: Identity): boolean {
  if (identity.kind !== 'relay' || identity.line === undefined) return false;
  const parsed = parseCredentials(identity.line);
  return parsed.ok && isConnectionBound(parsed.credentials.scheme);
}

/** For the log. */
export function nameIdentity(identity: Identity): string {
  return identity.kind === 'own' ? identity.credential.name : identity.kind;
}
