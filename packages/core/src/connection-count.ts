import type { Explanation } from './http/synthetic-response.ts';

/** 0: no limit. */
export interface ConnectionLimits {
  /** In all. */
  readonly connections: number;
  /** From one address. */
  readonly connectionsPerClient: number;
}

/** The connections that are open, in all and by client address; knows nothing of sockets. */
export class ConnectionCount {
  readonly #limits: ConnectionLimits;
  readonly #byClient = new Map<string, number>();
  #open = 0;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  get open(): number {
    return this.#open;
  }

  /** Counts one more, or says which limit it would be beyond. */
  admit(client: string): Explanation | undefined {
    const { connections, connectionsPerClient } = this.#limits;
    const ofClient = this.#byClient.get(client) ?? 0;
    if (connections > 0 && this.#open >= connections) return limitReached('connections', connections);
    if (connectionsPerClient > 0 && ofClient >= connectionsPerClient)
      return limitReached('connectionsPerClient', connectionsPerClient);
    this.#open += 1;
    this.#byClient.set(client, ofClient + 1);
    return undefined;
  }

  release(client: string): void {
    const ofClient = (this.#byClient.get(client) ?? 1) - 1;
    this.#open -= 1;
    if (ofClient === 0) this.#byClient.delete(client);
    else this.#byClient.set(client, ofClient);
  }
}

function limitReached(limit: keyof ConnectionLimits, most: number): Explanation {
  const whose = limit === 'connections' ? 'all its clients together' : 'this client';
  return {
    status: 503,
    error: 'connection_limit_reached',
    details: `limits.${limit}`,
    symptom: 'The proxy did not take this connection.',
    cause: `It has ${most} connections of ${whose}, which is as many as limits.${limit} allows.`,
    remedy: `Close connections that are not in use, or raise limits.${limit}.`,
    retryAfter: 1,
  };
}
