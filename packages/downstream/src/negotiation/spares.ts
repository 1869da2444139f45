import type { Credentials } from '@chain407/auth';
import type { Logger } from '@chain407/core';
import { formatHead } from '@chain407/core';
import type { Credential } from '../account/credentials.ts';
import { Cancellation } from '../hop/cancellation.ts';
import type { Pool } from '../hop/pool.ts';
import type { UpstreamConnection } from '../hop/upstream-connection.ts';
import { poolKey } from '../identity.ts';
import type { Upstream } from '../upstream.ts';
import type { NegotiationRequest } from './negotiate.ts';
import { negotiate } from './negotiate.ts';
import { publishCarried } from './publish-carried.ts';
import { authorizationText } from './request-head.ts';

/** Milliseconds without another try, where one left nothing behind that could be kept. */
const PAUSE = 60_000;

/**
 * Keeps a few connections ready that are logged in already: a tunnel takes its connection away, and NTLM would cost the next
 * one three round trips in place of one. Filled in the background after a tunnel was made, up to `upstream.spare`; only with
 * credentials that are good just now, since each is an attempt. Those that nobody takes end as all idle connections do.
 */
export class Spares {
  readonly #options: SparesOptions;
  /** Of each key, how many are being made. */
  readonly #making = new Map<string, number>();
  readonly #pausedUntil = new Map<string, number>();
  readonly #cancellations = new Set<Cancellation>();

  constructor(options: SparesOptions) {
    this.#options = options;
  }

  /** A tunnel to `authority` was made with these credentials; the login names the same place. Does nothing where a login outlives no tunnel. */
  refill(upstream: Upstream, credential: Credential, authority: string): void {
    const scheme = credential.known.get(upstream.name)?.scheme;
    if (scheme?.binding !== 'connection' || !credential.guard.good) return;
    const key = poolKey(upstream.name, { kind: 'own', credential, answerable: false }, scheme.name);
    const { pool, now } = this.#options;
    if ((this.#pausedUntil.get(key) ?? 0) > now()) return;
    const making = this.#making.get(key) ?? 0;
    for (let have = pool.idle(key) + making; have < upstream.spare; have += 1) {
      void this.#make(key, upstream, credential, authority);
    }
  }

  close(): void {
    for (const cancellation of this.#cancellations) cancellation.cancel();
  }

  async #make(key: string, upstream: Upstream, credential: Credential, authority: string): Promise<void> {
    this.#making.set(key, (this.#making.get(key) ?? 0) + 1);
    const { pool, by, now, logger } = this.#options;
    const cancellation = new Cancellation();
    this.#cancellations.add(cancellation);
    let kept = false;
    const keep = (under: string, connection: UpstreamConnection): void => {
      if (under === key && connection.reusable) kept = true;
      pool.put(under, connection, upstream.idleTimeout);
    };
    try {
      const outcome = await negotiate(login({ upstream, credential, authority, cancellation, by, keep }));
      if ('response' in outcome) await outcome.response?.finish();
    } catch (error) {
      // Whatever gets here is a bug: no client waits for this login, but the log has the stack.
      logger.error({ exchange: 'spare', err: error }, 'internal error');
    } finally {
      this.#cancellations.delete(cancellation);
      this.#making.set(key, (this.#making.get(key) ?? 1) - 1);
      if (!kept) this.#pausedUntil.set(key, now() + PAUSE);
    }
  }
}

export interface SparesOptions {
  readonly pool: Pool;
  /** The pseudonym that legs carry. */
  readonly by: string;
  /** In milliseconds. */
  readonly now: () => number;
  readonly logger: Logger;
}

interface Login {
  readonly upstream: Upstream;
  readonly credential: Credential;
  readonly authority: string;
  readonly cancellation: Cancellation;
  readonly by: string;
  /** Takes a connection that may serve again, under its key. */
  readonly keep: (key: string, connection: UpstreamConnection) => void;
}

/** A request that the proxy answers itself (RFC 9110 §7.6.2), once it knows who asks; always on a connection of its own. */
function login({ upstream, credential, authority, cancellation, by, keep }: Login): NegotiationRequest {
  const target = `http://${authority}/`;
  const fields = (credentials: Credentials | undefined): string[] => [
    ...['Host', authority, 'Max-Forwards', '0'],
    ...(credentials === undefined ? [] : ['Proxy-Authorization', authorizationText(credentials)]),
  ];
  const identity = { kind: 'own', credential, answerable: false } as const;
  return {
    ...{ upstream, credential, cancellation, target },
    ...{ method: 'OPTIONS', answerable: false, upgrade: false, idempotent: true, body: undefined },
    head: (credentials) => formatHead(`OPTIONS ${target} HTTP/1.1`, fields(credentials)),
    source: (scheme) => ({
      take: () => undefined,
      put: (connection) => keep(poolKey(upstream.name, identity, scheme), connection),
    }),
    onInformational: () => undefined,
    onLeg: (leg) =>
      publishCarried(
        {
          ...{ by, from: 'downstream', to: upstream.name, exchange: 'spare', method: 'OPTIONS', target },
          headers: () => fields(leg.credentials),
        },
        leg,
      ),
  };
}
