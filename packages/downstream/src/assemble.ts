import type { Logger, Problem, StateStore } from '@chain407/core';
import { readListenerTls, readTls } from '@chain407/core';
import type { Credential } from './account/credentials.ts';
import { openCredential } from './account/open-credential.ts';
import type { DownstreamConfig } from './config.ts';
import { upstreamsOf } from './config.ts';
import { Failover } from './failover.ts';
import { HopTls } from './hop/dial.ts';
import { Pins } from './hop/pins.ts';
import { Pool } from './hop/pool.ts';
import { ReplayMemory } from './negotiation/replay-memory.ts';
import type { Route, Via } from './routes.ts';
import type { Assembly } from './server.ts';
import type { Upstream } from './upstream.ts';

const LOOPBACK = ['127.0.0.1', '::1'];

export type Assembled =
  | { readonly ok: true; readonly assembly: Assembly }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * From a valid configuration to the parts that run: reads the secrets, joins names to what they name. Who does not serve
 * the assembly calls its `close`. `shared`: what other workers and replicas know, where there are any.
 */
export async function assemble(config: DownstreamConfig, logger: Logger, shared?: StateStore): Promise<Assembled> {
  const problems: Problem[] = [];
  const credentials = new Map<string, Credential>();
  for (const name of Object.keys(config.credentials)) {
    const made = await openCredential(name, config, logger, shared);
    if (made.ok) credentials.set(name, made.credential);
    else problems.push(...made.problems);
  }
  const close = (): void => {
    for (const one of credentials.values()) one.close();
  };
  const listener = readListenerTls(config.listen);
  if (!listener.ok) problems.push(...listener.problems);
  const secured: Record<string, HopTls | undefined> = {};
  for (const name of Object.keys(config.upstreams)) {
    const made = hopTls(name, config);
    if (made.ok) secured[name] = made.tls;
    else problems.push(...made.problems);
  }
  if (problems.length > 0 || !listener.ok) {
    close();
    return { ok: false, problems };
  }
  const upstreams = new Map(
    Object.entries(secured).map(([name, tls]) => [name, upstream(name, config, credentials, tls)]),
  );
  const { limits, clients, rejected } = config;
  return {
    ok: true,
    assembly: {
      listen: listener.listen,
      limits,
      admits: admission(clients),
      routes: routes(config, upstreams),
      direct: { ...connectionLimits(limits), idleTimeout: limits.idleTimeout },
      runtime: {
        rejected,
        replayMemory: new ReplayMemory(limits),
        tunnel: {
          idleTimeout: limits.tunnelIdleTimeout,
          halfCloseTimeout: limits.tunnelHalfCloseTimeout,
        },
        pool: new Pool(),
        pins: new Pins(Date.now),
        failover: new Failover(Date.now),
      },
      close,
    },
  };
}

function upstream(
  name: string,
  { upstreams, limits }: DownstreamConfig,
  credentials: ReadonlyMap<string, Credential>,
  tls: HopTls | undefined,
): Upstream {
  const { url, credentials: account, idleTimeout, spare } = upstreams[name] as DownstreamConfig['upstreams'][string];
  const connection = { host: url.host, port: url.port, tls, ...connectionLimits(limits) };
  return {
    name,
    connection,
    idleTimeout,
    spare,
    credential: account === undefined ? undefined : credentials.get(account),
  };
}

const connectionLimits = ({
  connectTimeout,
  responseTimeout,
  headerSize,
  headerCount,
}: DownstreamConfig['limits']) => ({
  connectTimeout,
  responseTimeout,
  headerSize,
  headerCount,
});

type MadeTls =
  | { readonly ok: true; readonly tls: HopTls | undefined }
  | { readonly ok: false; readonly problems: readonly Problem[] };

function hopTls(name: string, { upstreams }: DownstreamConfig): MadeTls {
  const { url, tls } = upstreams[name] as DownstreamConfig['upstreams'][string];
  if (url.protocol !== 'https:') return { ok: true, tls: undefined };
  const read = readTls(tls ?? {}, `upstreams.${name}.tls`);
  if (!read.ok) return read;
  const named = tls?.servername === undefined ? {} : { servername: tls.servername };
  return { ok: true, tls: new HopTls(url.host, { ...read.material, ...named }) };
}

function routes(config: DownstreamConfig, upstreams: ReadonlyMap<string, Upstream>): Route[] {
  const named = config.routes.map(
    ({ to, via, identity }): Route => ({
      matches: (host, port) => to.some((pattern) => pattern.matches(host, port)),
      via: viaOf(via, upstreams),
      identity: identity ?? config.identity,
    }),
  );
  const first = [...upstreams.values()].slice(0, 1);
  const rest: Via = first.length === 0 ? { kind: 'deny' } : { kind: 'upstreams', upstreams: first };
  return [...named, { matches: () => true, via: rest, identity: config.identity }];
}

function viaOf(via: string | readonly string[], upstreams: ReadonlyMap<string, Upstream>): Via {
  if (via === 'direct' || via === 'deny') return { kind: via };
  return { kind: 'upstreams', upstreams: upstreamsOf(via).flatMap((name) => upstreams.get(name) ?? []) };
}

function admission(clients: DownstreamConfig['clients']): (address: string) => boolean {
  if (clients !== undefined) return (address) => clients.allow.some((range) => range.contains(address));
  return (address) => LOOPBACK.includes(address) || address.startsWith('127.') || address.startsWith('::ffff:127.');
}
