import type { Leg, Logger, StateStore } from '@chain407/core';
import { createLogger } from '@chain407/core';
import type { Downstream } from '@chain407/downstream';
import { startDownstream } from '@chain407/downstream';
import type { Upstream } from '@chain407/upstream';
import { startUpstream } from '@chain407/upstream';
import type { ProxyAgentOptions } from 'proxy-agent';
import { ProxyAgent } from 'proxy-agent';
import type { ChainConfig } from './chain-config.ts';
import { isSection } from './chain-config.ts';
import { completeChain } from './chain-schema.ts';
import type { Origin } from './origin.ts';
import { startOrigin } from './origin.ts';
import type { LegRecorder } from './recorder.ts';
import { recordLegs } from './recorder.ts';

export interface ChainOptions {
  /** Takes the log's JSON lines; then the level is `info` unless the configuration says otherwise. Default: no log. */
  readonly logDestination?: { write(line: string): void };
  /** Where the upstream keeps which counts of Digest nonces were used: chains that share it are replicas. Default: its own memory. */
  readonly state?: StateStore;
}

/** Both tiers and an origin, running. */
export interface Chain extends AsyncDisposable {
  /** Of the downstream: what a client is given as its proxy. */
  readonly url: string;
  readonly downstream: Pick<Downstream, 'url' | 'port' | 'connections'>;
  readonly upstream: Pick<Upstream, 'url' | 'port' | 'connections'>;
  /** Through the chain it is `http://origin.test/`. */
  readonly origin: Origin;
  /** An `http.Agent` through the downstream, for `http:` and `https:`; `options` as for its sockets. */
  agent(options?: ProxyAgentOptions): ProxyAgent;
  /** What was said between which hops of this chain, redacted, in the order that the responses came. */
  legs(): readonly Leg[];
  /** Forgets the legs so far. */
  clearLegs(): void;
  /** Closes agents, tiers (what is under way has `limits.drain`) and origin. */
  close(): Promise<void>;
}

type Close = () => unknown;

class RunningChain implements Chain {
  readonly downstream: Downstream;
  readonly upstream: Upstream;
  readonly origin: Origin;
  readonly #recorder: LegRecorder;
  readonly #agents: ProxyAgent[] = [];
  readonly #close: () => Promise<void>;

  constructor(downstream: Downstream, upstream: Upstream, origin: Origin, close: () => Promise<void>) {
    this.downstream = downstream;
    this.upstream = upstream;
    this.origin = origin;
    this.#close = close;
    const own: ReadonlySet<string> = new Set([downstream.pseudonym, upstream.pseudonym]);
    // Legs are published for the whole process; other chains may run in it.
    this.#recorder = recordLegs((leg) => own.has(leg.by));
  }

  get url(): string {
    return this.downstream.url;
  }

  agent(options: ProxyAgentOptions = {}): ProxyAgent {
    const agent = new ProxyAgent({ ...options, getProxyForUrl: () => this.url });
    this.#agents.push(agent);
    return agent;
  }

  legs(): readonly Leg[] {
    return this.#recorder.legs();
  }

  clearLegs(): void {
    this.#recorder.clear();
  }

  async close(): Promise<void> {
    for (const agent of this.#agents) agent.destroy();
    await this.#close();
    this.#recorder.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function chainLogger(level: Parameters<typeof createLogger>[0] | undefined, { logDestination }: ChainOptions): Logger {
  const destination = logDestination ?? { write: () => undefined };
  return createLogger(level ?? (logDestination === undefined ? 'silent' : 'info'), destination);
}

/** The port is not known before the upstream listens, and the whole configuration is checked before anything does. */
const upstreamToCome = ({ upstream = {} }: ChainConfig): string =>
  `${isSection(upstream.listen) && upstream.listen.tls !== undefined ? 'https' : 'http'}://127.0.0.1:1`;

/**
 * Starts a chain on free ports of 127.0.0.1: an origin, an upstream in front of it, a downstream in front of that. What
 * the configuration leaves out has the defaults that the package's README lists.
 *
 * Rejects with core's `ConfigError`, whose message has every problem with its path, or with what a tier rejects with;
 * nothing stays open then.
 */
export async function startChain(config: ChainConfig = {}, options: ChainOptions = {}): Promise<Chain> {
  const closers: Close[] = [];
  const closeAll = async (): Promise<void> => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
  };
  try {
    const origin = await startOrigin();
    closers.push(() => origin.close());
    const places = { originPort: origin.port, upstreamUrl: upstreamToCome(config) };
    const checked = completeChain(config, places);
    const logger = chainLogger(checked.log.level, options);
    const upstream = await startUpstream(checked.upstream, { logger, state: options.state });
    closers.push(() => upstream.close());
    const complete = completeChain(config, { ...places, upstreamUrl: upstream.url });
    const downstream = await startDownstream(complete.downstream, { logger });
    closers.push(() => downstream.close());
    return new RunningChain(downstream, upstream, origin, closeAll);
  } catch (error) {
    await closeAll();
    throw error;
  }
}
