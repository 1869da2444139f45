import type { Explanation } from '../http/synthetic-response.ts';
import { openFiles } from './open-files.ts';

/** 0: no limit. */
export interface ConnectionLimits {
  /** In all. */
  readonly connections: number;
  /** From one address. */
  readonly connectionsPerClient: number;
}

/** The connections of one listener that are open, in all and by client address; knows nothing of sockets. */
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
    if (!openFiles.roomForClient) return noRoom();
    if (connections > 0 && this.#open >= connections) return limitReached('connections', connections);
    if (connectionsPerClient > 0 && ofClient >= connectionsPerClient)
      return limitReached('connectionsPerClient', connectionsPerClient);
    this.#open += 1;
    openFiles.addClients(1);
    this.#byClient.set(client, ofClient + 1);
    return undefined;
  }

  release(client: string): void {
    const ofClient = (this.#byClient.get(client) ?? 1) - 1;
    this.#open -= 1;
    openFiles.addClients(-1);
    if (ofClient === 0) this.#byClient.delete(client);
    else this.#byClient.set(client, ofClient);
  }
}

const LIMIT_REACHED = {
  status: 503,
  error: 'connection_limit_reached',
  symptom: 'The proxy did not take this connection.',
  retryAfter: 1,
} as const;

/** Of the files that the process may have open too many are connections, to its clients or for them. */
export function noRoom(): Explanation {
  return {
    ...LIMIT_REACHED,
    details: 'open files',
    cause: `It has ${openFiles.used} connections, to clients and for them, which is as many as its limit of open files leaves room for.`,
    remedy: 'Close connections that are not in use, or raise that limit (ulimit -n, or LimitNOFILE of systemd).',
  };
}

function limitReached(limit: keyof ConnectionLimits, most: number): Explanation {
  const whose = limit === 'connections' ? 'all its clients together' : 'this client';
  return {
    ...LIMIT_REACHED,
    details: `limits.${limit}`,
    cause: `It has ${most} connections of ${whose}, which is as many as limits.${limit} allows.`,
    remedy: `Close connections that are not in use, or raise limits.${limit}.`,
  };
}
