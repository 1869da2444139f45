/** A section of the configuration as a file would have it; checked when the chain starts. */
export type ConfigSection = Readonly<Record<string, unknown>>;

/** Any part of a configuration. What is left out gets the defaults of a chain in tests. */
export interface ChainConfig {
  readonly log?: ConfigSection;
  readonly downstream?: ConfigSection;
  readonly upstream?: ConfigSection;
}

const ALICE = { name: 'alice', password: { value: 'secret' } };
const DRAIN = '1s';

export const isSection = (value: unknown): value is ConfigSection =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What is no section is left as it is: the schema complains about it, with its path. */
const merged = (defaults: ConfigSection, given: unknown): unknown =>
  given === undefined || isSection(given) ? { ...defaults, ...given } : given;

/** The upstream of a chain whose origin listens on `originPort`. */
export function upstreamSection({ upstream = {} }: ChainConfig, originPort: number): unknown {
  return {
    listen: '127.0.0.1:0',
    users: [ALICE],
    ports: { connect: [80, 443, originPort], any: [80, 443, '1024-65535'] },
    ...upstream,
    hosts: merged({ 'origin.test': `127.0.0.1:${originPort}` }, upstream.hosts),
    limits: merged({ drain: DRAIN }, upstream.limits),
  };
}

/** The downstream of a chain whose upstream is at `upstreamUrl`. */
export function downstreamSection(config: ChainConfig, upstreamUrl: string): unknown {
  const { downstream = {} } = config;
  const credentials = downstream.credentials ?? defaultCredentials(config);
  const [first] = isSection(credentials) ? Object.keys(credentials) : [];
  return {
    listen: '127.0.0.1:0',
    ...downstream,
    credentials,
    upstreams: withCredentials(withUrl(downstream.upstreams ?? { upstream: {} }, upstreamUrl), first),
    limits: merged({ drain: DRAIN }, downstream.limits),
  };
}

/** Where we send no credentials of our own there are none, so that a test cannot send some by mistake. */
function defaultCredentials({ downstream = {}, upstream = {} }: ChainConfig): ConfigSection {
  if (downstream.identity === 'relay' || downstream.identity === 'none') return {};
  const users: readonly unknown[] = Array.isArray(upstream.users) ? upstream.users : [ALICE];
  const { name, password } = users.find(hasPassword) ?? ALICE;
  const auth = isSection(upstream.auth) ? upstream.auth : {};
  return { [name]: { username: name, password, schemes: auth.schemes ?? ['basic'] } };
}

function hasPassword(user: unknown): user is { readonly name: string; readonly password: unknown } {
  return isSection(user) && typeof user.name === 'string' && user.password !== undefined;
}

/** An entry is the chain's own upstream, unless it says where it is. */
function withUrl(upstreams: unknown, url: string): unknown {
  if (!isSection(upstreams)) return upstreams;
  return Object.fromEntries(Object.entries(upstreams).map(([name, entry]) => [name, merged({ url, spare: 0 }, entry)]));
}

function withCredentials(upstreams: unknown, credentials: string | undefined): unknown {
  if (credentials === undefined || !isSection(upstreams)) return upstreams;
  return Object.fromEntries(Object.entries(upstreams).map(([name, entry]) => [name, merged({ credentials }, entry)]));
}
