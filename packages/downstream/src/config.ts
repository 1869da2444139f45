import type { Contradiction } from '@chain407/core';
import {
  cidr,
  connectionTls,
  duration,
  hostPattern,
  httpUrl,
  isLoopback,
  limitFields,
  listenAddress,
  size,
  withoutContradictions,
} from '@chain407/core';
import { z } from 'zod';
import { credentialComplaints, credentialSchema } from './account/credential-config.ts';
import { IDENTITY_MODES, REJECTED_POLICIES } from './identity.ts';

const name = z.string().min(1);

const upstreamSchema = (baseDir: string) =>
  z.strictObject({
    url: httpUrl(),
    tls: connectionTls(baseDir).optional(),
    credentials: name.optional(),
    /** Under the 10-15 s after which some proxies (Blue Coat) close idle connections. */
    idleTimeout: duration().default(8_000),
    /** Connections that are kept logged in, for CONNECT behind NTLM or Negotiate. */
    spare: z.int().min(0).max(64).default(2),
  });

const routeSchema = z.strictObject({
  to: z.array(hostPattern()).min(1).readonly(),
  via: z.union([name, z.array(name).min(1).readonly()]),
  identity: z.enum(IDENTITY_MODES).optional(),
});

const limitsSchema = z.strictObject({
  ...limitFields(),
  /** Without a byte to or from either side while an exchange is under way. */
  responseTimeout: duration().default(300_000),
  /** Bytes of one request body that are kept for another try. */
  replayBody: size().default(1024 * 1024),
  /** Of all request bodies together. */
  replayMemory: size().default(64 * 1024 * 1024),
});

/** The section `downstream:` of a configuration. Relative paths in it start at `baseDir`. */
export const downstreamSchema = (baseDir: string) =>
  withoutContradictions(
    z.strictObject({
      listen: listenAddress(baseDir).default({ host: '127.0.0.1', port: 3128 }),
      /** Processes; `auto`: one for each core. */
      workers: z
        .union([z.int().min(1).max(256), z.literal('auto')], { error: 'expected a number from 1, or auto' })
        .default(1),
      identity: z.enum(IDENTITY_MODES).default('substitute'),
      rejected: z
        .preprocess((value) => (typeof value === 'number' ? String(value) : value), z.enum(REJECTED_POLICIES))
        .default('407'),
      credentials: z.record(name, credentialSchema(baseDir)).default({}),
      upstreams: z.record(name, upstreamSchema(baseDir)).default({}),
      routes: z.array(routeSchema).readonly().default([]),
      clients: z.strictObject({ allow: z.array(cidr()).min(1).readonly() }).optional(),
      lockout: z
        .strictObject({ attempts: z.int().min(1).default(1), cooldown: duration().default(900_000) })
        .prefault({}),
      limits: limitsSchema.prefault({}),
    }),
    contradictions,
  );

export type DownstreamConfig = z.output<ReturnType<typeof downstreamSchema>>;

/** A configuration of which parts may be missing because they are wrong, and have been complained about. */
interface Draft {
  readonly listen?: Partial<DownstreamConfig['listen']>;
  readonly clients?: unknown;
  readonly identity?: DownstreamConfig['identity'];
  readonly credentials?: Readonly<Record<string, Partial<DownstreamConfig['credentials'][string]> | undefined>>;
  readonly upstreams?: Readonly<Record<string, Partial<DownstreamConfig['upstreams'][string]> | undefined>>;
  readonly routes?: readonly Partial<DownstreamConfig['routes'][number]>[];
}

/** What each key alone cannot show. */
function* contradictions(config: unknown): Generator<Contradiction> {
  if (typeof config !== 'object' || config === null) return;
  const { upstreams, credentials, routes, ...rest } = config as Draft;
  const draft: Draft = {
    ...rest,
    upstreams: mapOf(upstreams),
    credentials: mapOf(credentials),
    routes: listOf(routes),
  };
  yield* openListener(draft);
  yield* uselessTls(draft);
  for (const [account, entry] of Object.entries(draft.credentials ?? {})) {
    for (const { key, message } of credentialComplaints(entry ?? {}))
      yield { path: ['credentials', account, ...(key === undefined ? [] : [key])], message };
  }
  yield* unknownNames(draft);
  yield* missingCredentials(draft);
}

const isMap = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

const mapOf = <T>(value: Readonly<Record<string, T>> | undefined): Readonly<Record<string, T>> =>
  value !== undefined && isMap(value)
    ? Object.fromEntries(Object.entries(value).filter(([, entry]) => isMap(entry)))
    : {};

/** Places stay what they are: a wrong entry becomes an empty one. */
const listOf = <T extends object>(value: readonly T[] | undefined): readonly Partial<T>[] =>
  Array.isArray(value) ? value.map((entry: Partial<T>) => (isMap(entry) ? entry : {})) : [];

function* openListener({ listen, clients }: Draft): Generator<Contradiction> {
  if (listen?.host === undefined || isLoopback(listen.host) || clients !== undefined) return;
  const message = `expected clients.allow beside it: ${listen.host} is beyond loopback, and whoever reaches it would borrow the credentials of this proxy`;
  yield { path: ['listen'], message };
}

function* uselessTls({ upstreams = {} }: Draft): Generator<Contradiction> {
  for (const [upstream, { url, tls } = {}] of Object.entries(upstreams)) {
    if (tls === undefined || url === undefined) continue;
    const path = ['upstreams', upstream, 'tls'];
    if (url.protocol !== 'https:')
      yield { path, message: 'expected an https:// url beside it: this one is not secured' };
    else if ((tls.cert === undefined) !== (tls.key === undefined))
      yield { path, message: 'expected cert and key together: who this proxy is, and the proof' };
  }
}

function* unknownNames({ upstreams = {}, credentials = {}, routes = [] }: Draft): Generator<Contradiction> {
  const names = Object.keys(upstreams);
  if (names.length === 0 && !routes.some(({ via }) => via === 'direct' || via === 'deny')) {
    yield { path: ['upstreams'], message: 'expected at least one upstream: corp: { url: http://proxy.example:8080 }' };
  }
  for (const [upstream, entry] of Object.entries(upstreams)) {
    const account = entry?.credentials;
    if (account === undefined) continue;
    const path = ['upstreams', upstream, 'credentials'];
    const found = Object.hasOwn(credentials, account) ? credentials[account] : undefined;
    const url = entry?.url;
    if (found === undefined) yield { path, message: `expected a name under credentials, got "${account}"` };
    else if (url !== undefined && found.hosts?.some((host) => host?.matches(url.host, url.port)) === false) {
      yield {
        path,
        message: `expected credentials that may be sent to ${url.host}; the hosts of "${account}" do not name it`,
      };
    }
  }
  for (const [i, { via = [] }] of routes.entries()) {
    for (const upstream of upstreamsOf(via)) {
      if (names.includes(upstream)) continue;
      yield {
        path: ['routes', i, 'via'],
        message: `expected direct, deny or names under upstreams, got "${upstream}"`,
      };
    }
  }
}

/** `substitute` without anything to substitute would quietly send nothing. */
function* missingCredentials({ identity, upstreams = {}, routes = [] }: Draft): Generator<Contradiction> {
  const [first] = Object.keys(upstreams);
  const uses = [
    { path: ['identity'], mode: identity, via: first === undefined ? [] : [first] },
    ...routes.map((route, i) => ({
      path: ['routes', i],
      mode: route.identity ?? identity,
      via: upstreamsOf(route.via ?? []),
    })),
  ];
  for (const { path, mode, via } of uses) {
    if (mode !== 'substitute' && mode !== 'relay-else-substitute') continue;
    const without = via.find(
      (name) => Object.hasOwn(upstreams, name) && upstreams[name] !== undefined && !('credentials' in upstreams[name]),
    );
    if (without === undefined) continue;
    yield {
      path,
      message: `expected upstreams.${without} to name credentials, which "${mode}" sends; or choose identity: relay or none`,
    };
  }
}

/** The names of upstreams in `via`. */
export function upstreamsOf(via: string | readonly string[]): readonly string[] {
  if (Array.isArray(via)) return via;
  return typeof via !== 'string' || via === 'direct' || via === 'deny' ? [] : [via];
}
