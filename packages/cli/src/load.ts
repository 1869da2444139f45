import type { ConfigTree, LogLevel, Problem, SecretSource } from '@chain407/core';
import { formatProblem, LOG_LEVELS, MEMORY, readConfig, secretSource, validate } from '@chain407/core';
import type { DownstreamConfig } from '@chain407/downstream';
import { downstreamSchema } from '@chain407/downstream';
import type { UpstreamConfig } from '@chain407/upstream';
import { upstreamSchema } from '@chain407/upstream';
import { z } from 'zod';
import { EXIT, Exit } from './exit.ts';

/** The tiers that a file can hold a section for. */
export type TierName = 'downstream' | 'upstream';

/** The options that name a configuration. */
export interface ConfigOptions {
  readonly config: readonly string[];
  readonly set: readonly string[];
}

/** A valid configuration: every default filled in, the sections that are there. */
export interface Config {
  readonly log: { readonly level: LogLevel };
  /** Where what replicas share is: `memory:`, or the address of a Redis. */
  readonly state: { readonly url: SecretSource };
  readonly downstream?: DownstreamConfig | undefined;
  readonly upstream?: UpstreamConfig | undefined;
}

/** One schema for all files; a command reads the section that it needs. */
const rootSchema = (baseDir: string): z.ZodType<Config> =>
  z.strictObject({
    log: z.strictObject({ level: z.enum(LOG_LEVELS).default('info') }).prefault({}),
    // As an address may hold a password, it can come from where secrets do.
    state: z
      .strictObject({
        url: z.preprocess((url) => (typeof url === 'string' ? { value: url } : url), secretSource(baseDir)),
      })
      .prefault({ url: MEMORY }),
    downstream: downstreamSchema(baseDir).optional(),
    upstream: upstreamSchema(baseDir).optional(),
  });

/** Problems of a section, whose paths start there, with their path and place in the whole. */
export type Locate = (section: TierName | 'state', problems: readonly Problem[]) => Problem[];

export type Loaded =
  | { readonly ok: true; readonly config: Config; readonly locate: Locate }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Reads and validates; `needed` are the sections that must be there. */
export function load({ config: files, set }: ConfigOptions, needed: readonly TierName[]): Loaded {
  if (files.length === 0 && set.length === 0) throw new Exit(EXIT.usage, 'no configuration: name one with -c FILE');
  const read = readConfig(files, set);
  if (!read.ok) return read;
  const validated = validate(rootSchema(read.tree.baseDir), read.tree);
  if (!validated.ok) return validated;
  const { value } = validated;
  const problems = needed
    .filter((name) => value[name] === undefined)
    .map(
      (name): Problem => ({
        severity: 'error',
        ...read.tree.placeOf([]),
        path: name,
        message: 'expected this section, got nothing',
      }),
    );
  return problems.length === 0 ? { ok: true, config: value, locate: locator(read.tree) } : { ok: false, problems };
}

function locator(tree: ConfigTree): Locate {
  return (section, problems) =>
    problems.map((problem) => {
      const path = `${section}.${problem.path}`;
      const keys = path.split(/[.[\]]+/).filter((key) => key !== '');
      return { ...problem, ...tree.placeOf(keys), path };
    });
}

/** Says every problem on stderr and ends the command. */
export function refuse(problems: readonly Problem[]): never {
  throw new Exit(EXIT.usage, ['the configuration cannot be used:', ...problems.map(formatProblem)].join('\n'));
}
