import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { FixedAddress } from '../config.ts';
import type { PrivatePolicy } from './address-guard.ts';
import { checkLiteral, guardedLookup } from './address-guard.ts';

/** Where a request is dialled. */
export interface Destination {
  readonly host: string;
  readonly port: number;
  readonly lookup: LookupFunction;
  /** Keep-alive connections of this policy, for plain requests and Upgrade. */
  readonly agents: Agents;
  /** The error that the dial would end with, where that is known before. */
  readonly prohibited: NodeJS.ErrnoException | undefined;
}

interface Agents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

/** Idle connections are closed before the origin does it: Node and Apache close theirs after 5 s. In milliseconds. */
const IDLE_TIMEOUT = 4_000;

function agentsOf(lookup: LookupFunction): Agents {
  const options = {
    keepAlive: true,
    timeout: IDLE_TIMEOUT,
    lookup,
    autoSelectFamily: true,
    scheduling: 'lifo',
  } as const;
  return { http: new HttpAgent(options), https: new HttpsAgent(options) };
}

/**
 * From the name in a request to the address that is dialled: names that this tier resolves itself, and the guard on all
 * others. A name of `hosts` was put there by the operator: it is exempt from the guard, and its connections are kept
 * apart.
 */
export class Destinations {
  readonly #hosts: ReadonlyMap<string, FixedAddress>;
  readonly #policy: PrivatePolicy;
  readonly #guarded: LookupFunction;
  readonly #free: LookupFunction = guardedLookup('allow');
  readonly #agents: { readonly guarded: Agents; readonly free: Agents };

  constructor(hosts: Readonly<Record<string, FixedAddress>>, policy: PrivatePolicy) {
    this.#hosts = new Map(Object.entries(hosts).map(([name, address]) => [name.toLowerCase(), address]));
    this.#policy = policy;
    this.#guarded = guardedLookup(policy);
    this.#agents = { guarded: agentsOf(this.#guarded), free: agentsOf(this.#free) };
  }

  find(host: string, port: number): Destination {
    const fixed = this.#hosts.get(host.replace(/\.$/, ''));
    if (fixed !== undefined) {
      const at = { host: fixed.host, port: fixed.port ?? port };
      return { ...at, lookup: this.#free, agents: this.#agents.free, prohibited: undefined };
    }
    return {
      host,
      port,
      lookup: this.#guarded,
      agents: this.#agents.guarded,
      prohibited: checkLiteral(host, this.#policy),
    };
  }

  close(): void {
    for (const { http, https } of Object.values(this.#agents)) {
      http.destroy();
      https.destroy();
    }
  }
}
