import type { Problem, SecretSource } from '@chain407/core';
import { createLogger, formatProblem, isLoopback } from '@chain407/core';
import { EXIT, Exit } from './exit.ts';
import type { Config, ConfigOptions, Locate, TierName } from './load.ts';
import { load } from './load.ts';
import { print, say } from './output.ts';
import { prepareProblems } from './run.ts';

/** Validates a configuration, secrets and user files included, without listening. */
export async function check(options: ConfigOptions & { readonly json?: true }): Promise<number> {
  const loaded = load(options, []);
  if (loaded.ok && loaded.config.downstream === undefined && loaded.config.upstream === undefined) {
    throw new Exit(EXIT.usage, `${options.config.join(', ')}: expected a section downstream, upstream, or both`);
  }
  const problems = loaded.ok
    ? [
        ...(await prepareProblems(loaded.config, loaded.locate, createLogger('silent'))),
        ...warnings(loaded.config, loaded.locate),
      ]
    : loaded.problems;
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  if (options.json === true) print(JSON.stringify({ ok: errors === 0, problems }, undefined, 2));
  else for (const problem of problems) print(formatProblem(problem));
  const files = options.config.join(', ');
  if (options.json !== true)
    say(errors === 0 ? `${files}: good` : `${files}: ${errors} ${errors === 1 ? 'problem' : 'problems'}`);
  return errors === 0 ? EXIT.good : EXIT.usage;
}

const WORDS = { password: 'password', ntHash: 'hash that is as good as the password', token: 'token' } as const;

/** What works, and should not be left so. */
function warnings({ downstream, upstream }: Config, locate: Locate): Problem[] {
  const found: Problem[] = [];
  const warn = (section: TierName, path: string, message: string): void =>
    void found.push(...locate(section, [{ severity: 'warning', path, message }]));
  const remote = Object.values(downstream?.upstreams ?? {}).some(({ url }) => !isLoopback(url.host));
  for (const [name, credential] of Object.entries(downstream?.credentials ?? {})) {
    for (const key of ['password', 'ntHash', 'token'] as const) {
      if (credential[key]?.kind !== 'value' || !remote) continue;
      const message = `a ${WORDS[key]} in the file, for a proxy beyond loopback; use { env: NAME } or { file: PATH }`;
      warn('downstream', `credentials.${name}.${key}`, message);
    }
  }
  if (upstream !== undefined && !isLoopback(upstream.listen.host)) {
    for (const [i, user] of upstream.users.entries()) {
      for (const key of ['password', 'ntHash', 'token'] as const) {
        const source = key in user ? (user as { readonly [K in typeof key]?: SecretSource })[key] : undefined;
        if (source?.kind !== 'value') continue;
        const remedy =
          key === 'password' ? 'use hash (chain407 hash prints one)' : 'use { env: NAME } or { file: PATH }';
        warn('upstream', `users[${i}].${key}`, `a ${WORDS[key]} in the file, on a listener beyond loopback; ${remedy}`);
      }
    }
  }
  return found;
}
