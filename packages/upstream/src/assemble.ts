import type { Secret } from '@chain407/auth';
import { unusableNonceKey } from '@chain407/auth';
import type { Logger, Problem, StateStore } from '@chain407/core';
import { formatProblem, MemoryStore, readListenerTls, readSource } from '@chain407/core';
import type { UpstreamConfig } from './config.ts';
import { HelperPool } from './helper/helper-pool.ts';
import type { HelperChoice, Helpers } from './schemes.ts';
import { HELPER_CHOICES } from './schemes.ts';
import type { Assembly } from './server.ts';
import { LiveUsers } from './users/live-users.ts';
import { loadUsers, readSecrets, userFiles } from './users/load-users.ts';
import { schemeProblems } from './users/scheme-problems.ts';
import type { UserStore } from './users/user-store.ts';

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
  const problems: Problem[] = [];
  const users = await followUsers(config, logger, problems);
  const helpers = await startHelpers(config, logger, problems);
  const digestKey = await readDigestKey(config, problems);
  const tls = readListenerTls(config.listen);
  if (!tls.ok) problems.push(...tls.problems);
  const close = async (): Promise<void> => {
    users?.close();
    await Promise.all(Object.values(helpers).map((pool) => pool.close()));
  };
  if (users === undefined || !tls.ok || problems.some(isError)) {
    await close();
    return { ok: false, problems };
  }
  const keyed = digestKey === undefined ? {} : { digestKey };
  return {
    ok: true,
    assembly: { config, listen: tls.listen, users, helpers, state, close, ...keyed },
    warnings: problems,
  };
}

const isError = ({ severity }: Problem): boolean => severity === 'error';

/** Follows the files of the users. What is wrong with them at first is among `problems`; what goes wrong later is logged. */
function followUsers(config: UpstreamConfig, logger: Logger, problems: Problem[]): Promise<LiveUsers | undefined> {
  let tell = (problem: Problem): void => void problems.push(problem);
  return LiveUsers.open({
    files: userFiles(config.users),
    read: async () => {
      const users = await readUsers(config, tell);
      tell = (problem) => {
        const stay = isError(problem) ? '; the users stay as they were' : '';
        logger.warn(formatProblem({ ...problem, path: `upstream.${problem.path}`, message: problem.message + stay }));
      };
      return users;
    },
    onChange: ({ accounts }) => logger.info(`the users were read again: ${accounts.length}`),
  });
}

/** `undefined` where a problem is an error. */
async function readUsers(config: UpstreamConfig, tell: (problem: Problem) => void): Promise<UserStore | undefined> {
  const loaded = loadUsers(config.users, { realm: config.realm, read: await readSecrets(config.users) });
  const problems = loaded.ok ? unfit(config, loaded.users) : loaded.problems;
  for (const problem of problems) tell(problem);
  return loaded.ok && !problems.some(isError) ? loaded.users : undefined;
}

async function startHelpers({ auth }: UpstreamConfig, logger: Logger, problems: Problem[]): Promise<Helpers> {
  const helpers: { [S in HelperChoice]?: HelperPool } = {};
  for (const scheme of HELPER_CHOICES) {
    const helper = auth.helpers[scheme];
    if (helper === undefined) continue;
    const pool = new HelperPool({ ...helper, log: (message) => logger.warn({ helper: scheme }, message) });
    helpers[scheme] = pool;
    const started = await pool.start();
    const message = started.ok ? undefined : `cannot be used: ${started.message}`;
    if (message !== undefined) problems.push({ severity: 'error', path: `auth.helpers.${scheme}`, message });
  }
  return helpers;
}

async function readDigestKey({ auth }: UpstreamConfig, problems: Problem[]): Promise<Secret | undefined> {
  const { key } = auth.digest;
  if (key === undefined) return undefined;
  const read = await readSource(key);
  const message = read.ok ? unusableNonceKey(read.secret) : read.message;
  if (message !== undefined) problems.push({ severity: 'error', path: 'auth.digest.key', message });
  return read.ok ? read.secret : undefined;
}

/** Users and schemes that do not fit each other; nobody is asked where `anonymous` is set. */
function unfit({ auth }: UpstreamConfig, users: UserStore): readonly Problem[] {
  if (auth.anonymous) return [];
  const schemes = auth.schemes.filter((scheme) => scheme === 'bearer' || auth.helpers[scheme] === undefined);
  return schemeProblems(users.accounts, { schemes, algorithms: auth.digest.algorithms });
}
