import { cidr, duration, hostPattern, httpUrl, isLoopback, listenAddress, secretSource, size } from '@chain407/core';
import { z } from 'zod';
import { SCHEME_CHOICES } from './credentials.ts';
import { IDENTITY_MODES, REJECTED_POLICIES } from './identity.ts';

const name = z.string().min(1);

/** An account of ours. `hosts`: where it may be sent; default: the upstreams that name it. */
const credentialSchema = (baseDir: string) =>
  z.strictObject({
    username: z.string().min(1),
    password: secretSource(baseDir),
    schemes: z.array(z.enum(SCHEME_CHOICES)).min(1).readonly(),
    hosts: z.array(hostPattern()).min(1).readonly().optional(),
  });

const upstreamSchema = z.strictObject({
  url: httpUrl(),
  credentials: name.optional(),
  /** Under the 10-15 s after which some proxies (Blue Coat) close idle connections. */
  idleTimeout: duration().default(8_000),
});

const routeSchema = z.strictObject({
  to: z.array(hostPattern()).min(1).readonly(),
  via: z.union([name, z.array(name).min(1).readonly()]),
  identity: z.enum(IDENTITY_MODES).optional(),
});

const limitsSchema = z.strictObject({
  headerSize: size().default(64 * 1024),
  connections: z.int().min(1).default(20_000),
  headerTimeout: duration().default(15_000),
  /** A client connection without a request. */
  idleTimeout: duration().default(300_000),
  connectTimeout: duration().default(10_000),
  /** Without a byte from the next hop while its response is awaited. */
  responseTimeout: duration().default(300_000),
  tunnelIdleTimeout: duration().default(3_600_000),
  replayBody: size().default(1024 * 1024),
  drain: duration().default(30_000),
});

/** The section `downstream:` of a configuration. Relative paths in it start at `baseDir`. */
export const downstreamSchema = (baseDir: string) =>
  z
    .strictObject({
      listen: listenAddress().default({ host: '127.0.0.1', port: 3128 }),
      identity: z.enum(IDENTITY_MODES).default('substitute'),
      rejected: z
        .preprocess((value) => (typeof value === 'number' ? String(value) : value), z.enum(REJECTED_POLICIES))
        .default('407'),
      credentials: z.record(name, credentialSchema(baseDir)).default({}),
      upstreams: z.record(name, upstreamSchema).default({}),
      routes: z.array(routeSchema).readonly().default([]),
      clients: z.strictObject({ allow: z.array(cidr()).min(1).readonly() }).optional(),
      lockout: z
        .strictObject({ attempts: z.int().min(1).default(1), cooldown: duration().default(900_000) })
        .prefault({}),
      limits: limitsSchema.prefault({}),
    })
    .superRefine((config, context) => {
      for (const { path, message } of contradictions(config))
        context.addIssue({ code: 'custom', path: [...path], message });
    });

export type DownstreamConfig = z.output<ReturnType<typeof downstreamSchema>>;
type Draft = Omit<DownstreamConfig, never>;

interface Contradiction {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What each key alone cannot show. */
function* contradictions(config: Draft): Generator<Contradiction> {
  const { listen, clients, upstreams, credentials, routes, identity } = config;
  if (!isLoopback(listen.host) && clients === undefined) {
    yield {
      path: ['listen'],
      message: `expected clients.allow beside it: ${listen.host} is beyond loopback, and whoever reaches it would borrow the credentials of this proxy`,
    };
  }
  const names = Object.keys(upstreams);
  if (names.length === 0 && !routes.some((route) => route.via === 'direct' || route.via === 'deny')) {
    yield { path: ['upstreams'], message: 'expected at least one upstream: { url: http://proxy.example:8080 }' };
  }
  for (const [upstream, { url, credentials: account }] of Object.entries(upstreams)) {
    if (account === undefined) continue;
    const found = Object.hasOwn(credentials, account) ? credentials[account] : undefined;
    const path = ['upstreams', upstream, 'credentials'];
    if (found === undefined) yield { path, message: `expected a name under credentials, got "${account}"` };
    else if (found.hosts !== undefined && !found.hosts.some((host) => host.matches(url.host, url.port))) {
      yield {
        path,
        message: `expected credentials that may be sent to ${url.host}; the hosts of "${account}" do not name it`,
      };
    }
  }
  const modes = [
    { path: ['identity'], mode: identity, via: names },
    ...routes.map((route, i) => routeMode(route, i, identity)),
  ];
  for (const [i, { via }] of routes.entries()) {
    for (const upstream of upstreamsOf(via)) {
      if (names.includes(upstream)) continue;
      yield {
        path: ['routes', i, 'via'],
        message: `expected direct, deny or names under upstreams, got "${upstream}"`,
      };
    }
  }
  for (const { path, mode, via } of modes) {
    if (mode !== 'substitute' && mode !== 'relay-else-substitute') continue;
    const bare = via.find(
      (upstream) => Object.hasOwn(upstreams, upstream) && upstreams[upstream]?.credentials === undefined,
    );
    if (bare !== undefined) {
      yield {
        path,
        message: `expected upstreams.${bare} to name credentials, which "${mode}" sends; or choose identity: relay or none`,
      };
    }
  }
}

/** The names of upstreams in `via`. */
export function upstreamsOf(via: string | readonly string[]): readonly string[] {
  if (typeof via !== 'string') return via;
  return via === 'direct' || via === 'deny' ? [] : [via];
}

function routeMode(route: Draft['routes'][number], i: number, fallback: Draft['identity']) {
  // Where the route does not say, the default was complained about already.
  const mode = route.identity ?? 'none';
  return { path: ['routes', i, 'identity'], mode: mode ?? fallback, via: [...upstreamsOf(route.via)] };
}
