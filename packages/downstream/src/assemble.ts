import type { Secret } from '@chain407/auth';
import { unsendable } from '@chain407/auth';
import { type Logger, type Problem, readSecret } from '@chain407/core';
import type { DownstreamConfig } from './config.ts';
import { upstreamsOf } from './config.ts';
import type { Credential } from './credentials.ts';
import { createCredential } from './credentials.ts';
import { Failover } from './failover.ts';
import { Pins } from './pins.ts';
import { Pool } from './pool.ts';
import type { Route, Via } from './routes.ts';
import type { Assembly } from './server.ts';
import type { Upstream } from './upstream.ts';

/** How long half of a tunnel may stay open alone, in milliseconds. Precedent: forwarder's one minute. */
const HALF_CLOSE_TIMEOUT = 60_000;
const LOOPBACK = ['127.0.0.1', '::1'];

export type Assembled =
  | { readonly ok: true; readonly assembly: Assembly }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** From a valid configuration to the parts that run: reads the secrets, joins names to what they name. */
export function assemble(config: DownstreamConfig, logger: Logger): Assembled {
  const problems: Problem[] = [];
  const secrets = new Map<string, Secret>();
  for (const [name, { username, password, schemes }] of Object.entries(config.credentials)) {
    const read = readSecret(password);
    const complain = (message: string): void =>
      void problems.push({ severity: 'error', path: `credentials.${name}`, message });
    if (!read.ok) {
      problems.push({ severity: 'error', path: `credentials.${name}.password`, message: read.message });
      continue;
    }
    const unfit = schemes.includes('basic') ? unsendable(username, read.secret) : undefined;
    if (unfit !== undefined) complain(`expected an account that Basic can send: ${unfit}`);
    secrets.set(name, read.secret);
  }
  if (problems.length > 0) return { ok: false, problems };

  const credentials = new Map<string, Credential>();
  for (const [name, secret] of secrets) credentials.set(name, credential(name, secret, config, logger));
  const upstreams = new Map(Object.keys(config.upstreams).map((name) => [name, upstream(name, config, credentials)]));
  const { limits, listen, clients, rejected } = config;
  const connection = {
    connectTimeout: limits.connectTimeout,
    responseTimeout: limits.responseTimeout,
    headerSize: limits.headerSize,
  };
  return {
    ok: true,
    assembly: {
      listen,
      limits,
      admits: admission(clients),
      routes: routes(config, upstreams),
      direct: { ...connection, idleTimeout: limits.idleTimeout },
      runtime: {
        rejected,
        replayBody: limits.replayBody,
        tunnel: {
          idleTimeout: limits.tunnelIdleTimeout,
          halfCloseTimeout: Math.min(HALF_CLOSE_TIMEOUT, limits.tunnelIdleTimeout),
        },
        pool: new Pool(),
        pins: new Pins(),
        failover: new Failover(Date.now),
      },
    },
  };
}

function credential(name: string, password: Secret, config: DownstreamConfig, logger: Logger): Credential {
  const { username, schemes, hosts } = config.credentials[name] as DownstreamConfig['credentials'][string];
  const namedBy = Object.values(config.upstreams).filter((upstream) => upstream.credentials === name);
  const mayGoTo = (host: string, port: number): boolean =>
    hosts?.some((pattern) => pattern.matches(host, port)) ??
    namedBy.some(({ url }) => url.host === host && url.port === port);
  const { attempts, cooldown } = config.lockout;
  const onChange = (state: Parameters<Parameters<typeof createCredential>[0]['lockout']['onChange']>[0]): void => {
    // Once per change, not per request.
    if (state.phase === 'closed') {
      const again = new Date(state.until).toISOString();
      logger.warn(
        { credential: name, again },
        `the credentials "${name}" are held back until ${again}: ${state.reason}`,
      );
    } else {
      logger.info({ credential: name }, `the credentials "${name}" are accepted again`);
    }
  };
  return createCredential({
    name,
    username,
    password,
    schemes,
    mayGoTo,
    lockout: { attempts, cooldown, now: Date.now, onChange },
  });
}

function upstream(
  name: string,
  { upstreams, limits }: DownstreamConfig,
  credentials: ReadonlyMap<string, Credential>,
): Upstream {
  const { url, credentials: account, idleTimeout } = upstreams[name] as DownstreamConfig['upstreams'][string];
  const { connectTimeout, responseTimeout, headerSize } = limits;
  const connection = { host: url.host, port: url.port, connectTimeout, responseTimeout, headerSize };
  return { name, connection, idleTimeout, credential: account === undefined ? undefined : credentials.get(account) };
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
