import { unusableNonceKey } from '@chain407/auth';
import type { Logger, Problem, ReadSecret, SecretSource, StateStore } from '@chain407/core';
import { MemoryStore, readListenerTls, readSource } from '@chain407/core';
import type { UpstreamConfig } from './config.ts';
import { HelperPool } from './helper/helper-pool.ts';
import type { HelperChoice } from './schemes.ts';
import { HELPER_CHOICES } from './schemes.ts';
import type { Assembly } from './server.ts';
import { loadUsers, secretSources } from './users/load-users.ts';
import { schemeProblems } from './users/scheme-problems.ts';

export type Assembled =
  | { readonly ok: true; readonly assembly: Assembly; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * From a valid configuration to the parts that run: reads secrets and user files, starts the helpers. Who does not serve
 * the assembly calls its `close`. `state`: what replicas share; default: nothing.
 */
export async function assemble(
  config: UpstreamConfig,
  logger: Logger,
  state: StateStore = new MemoryStore(Date.now),
): Promise<Assembled> {
  const { key } = config.auth.digest;
  const sources = [...secretSources(config.users), ...(key === undefined ? [] : [key])];
  const secrets = new Map(
    await Promise.all(sources.map(async (source) => [source, await readSource(source)] as const)),
  );
  const read = (source: SecretSource): ReadSecret => secrets.get(source) as ReadSecret;
  const loaded = loadUsers(config.users, { realm: config.realm, read });
  const problems: Problem[] = loaded.ok ? unfit(config, loaded.users) : [...loaded.problems];
  const helpers: { [S in HelperChoice]?: HelperPool } = {};
  for (const scheme of HELPER_CHOICES) {
    const helper = config.auth.helpers[scheme];
    if (helper === undefined) continue;
    const pool = new HelperPool({ ...helper, log: (message) => logger.warn({ helper: scheme }, message) });
    helpers[scheme] = pool;
    const started = await pool.start();
    if (!started.ok)
      problems.push({
        severity: 'error',
        path: `auth.helpers.${scheme}`,
        message: `cannot be used: ${started.message}`,
      });
  }
  const digestKey = key && read(key);
  if (digestKey !== undefined && !digestKey.ok)
    problems.push({ severity: 'error', path: 'auth.digest.key', message: digestKey.message });
  else if (digestKey !== undefined) {
    const message = unusableNonceKey(digestKey.secret);
    if (message !== undefined) problems.push({ severity: 'error', path: 'auth.digest.key', message });
  }
  const close = async (): Promise<void> => {
    await Promise.all(Object.values(helpers).map((pool) => pool.close()));
  };
  const tls = readListenerTls(config.listen);
  if (!tls.ok) problems.push(...tls.problems);
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (loaded.ok && tls.ok && errors.length === 0) {
    const keyed = digestKey?.ok === true ? { digestKey: digestKey.secret } : {};
    const assembly = { config, listen: tls.listen, users: loaded.users, helpers, state, close, ...keyed };
    return { ok: true, assembly, warnings: problems };
  }
  await close();
  return { ok: false, problems };
}

/** Users and schemes that do not fit each other; nobody is asked where `anonymous` is set. */
function unfit(
  { auth }: UpstreamConfig,
  users: Extract<ReturnType<typeof loadUsers>, { ok: true }>['users'],
): Problem[] {
  if (auth.anonymous) return [];
  const schemes = auth.schemes.filter((scheme) => scheme === 'bearer' || auth.helpers[scheme] === undefined);
  return [...schemeProblems(users.accounts, { schemes, algorithms: auth.digest.algorithms })];
}
