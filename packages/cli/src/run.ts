import type { Logger, Problem } from '@chain407/core';
import { createLogger, formatProblem } from '@chain407/core';
import { assemble as assembleDownstream, serve as serveDownstream } from '@chain407/downstream';
import { assemble as assembleUpstream, serve as serveUpstream } from '@chain407/upstream';
import { EXIT } from './exit.ts';
import type { Running } from './lifecycle.ts';
import { runUntilSignal, Signals } from './lifecycle.ts';
import { portInUse } from './listen-error.ts';
import type { Config, ConfigOptions, Locate, TierName } from './load.ts';
import { load, refuse } from './load.ts';
import { removeReadyFile, writeReadyFile } from './ready-file.ts';

/** The options of `up`, `downstream` and `upstream`. */
export interface RunOptions extends ConfigOptions {
  readonly readyFile?: string;
  readonly demo?: true;
}

interface Tier extends Running {
  readonly name: TierName;
  readonly url: string;
  readonly port: number;
  /** Where it really listens, in words. */
  readonly place: string;
}

/** Listening on these is listening on every address of the machine. */
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

type Start = () => Promise<Tier>;
type Prepared =
  | {
      readonly ok: true;
      readonly start: Start;
      /** In place of `start`. */
      readonly discard: () => Promise<void>;
      readonly warnings: readonly Problem[];
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Runs tiers until a signal. The upstream accepts before the downstream does. */
export async function runTiers(names: readonly TierName[], options: RunOptions): Promise<number> {
  const loaded = load(options, names);
  if (!loaded.ok) return refuse(loaded.problems);
  const { config, locate } = loaded;
  const logger = createLogger(config.log.level);
  const prepared = await Promise.all(names.map((name) => PREPARE[name](config, logger)));
  const problems = prepared.flatMap((one, i) => (one.ok ? [] : locate(names[i] as TierName, one.problems)));
  if (problems.length > 0) {
    await Promise.all(prepared.map((one) => (one.ok ? one.discard() : undefined)));
    return refuse(problems);
  }
  for (const [i, one] of prepared.entries()) {
    const warnings = one.ok ? locate(names[i] as TierName, one.warnings) : [];
    for (const warning of warnings) logger.warn(formatProblem(warning));
  }

  const signals = new Signals();
  const running: Running[] = [];
  const tiers: Partial<Record<TierName, Tier>> = {};
  try {
    // The testkit is no part of a deployment: it is loaded for the demonstration alone.
    const demo = options.demo === true ? await import('./demo.ts') : undefined;
    if (demo !== undefined) running.push(await demo.startDemoOrigin(config.upstream?.hosts ?? {}));
    for (const one of prepared.toReversed()) {
      if (!one.ok) continue;
      const tier = await one.start();
      running.push(tier);
      tiers[tier.name] = tier;
      logger.info({ url: tier.url }, `${tier.name} listens on ${tier.place}`);
    }
    const { downstream, upstream } = tiers;
    const ready = { ...place('downstream', downstream), ...place('upstream', upstream), pid: process.pid };
    if (options.readyFile !== undefined) writeReadyFile(options.readyFile, ready);
    if (downstream !== undefined && upstream !== undefined) await demo?.demonstrate({ downstream, upstream });
    await runUntilSignal(running, signals, logger);
  } catch (error) {
    await Promise.all([...running.map((part) => part.kill()), ...prepared.map((one) => one.ok && one.discard())]);
    throw error;
  } finally {
    signals.stop();
  }
  if (options.readyFile !== undefined) removeReadyFile(options.readyFile);
  return EXIT.good;
}

function place(name: TierName, tier: Tier | undefined): object {
  return tier === undefined ? {} : { [name]: { url: tier.url } };
}

/** Reads what a configuration refers to (secrets, user files); nothing listens yet. */
const PREPARE: { readonly [N in TierName]: (config: Config, logger: Logger) => Promise<Prepared> } = {
  downstream: async ({ downstream }, logger) => {
    if (downstream === undefined) throw new TypeError('no downstream section');
    const assembled = await assembleDownstream(downstream, logger);
    if (!assembled.ok) return { ok: false, problems: assembled.problems };
    const start = () => serveDownstream(assembled.assembly, logger);
    return {
      ok: true,
      start: () => started('downstream', downstream.listen, start),
      discard: async () => assembled.assembly.close(),
      warnings: [],
    };
  },
  upstream: async ({ upstream }, logger) => {
    if (upstream === undefined) throw new TypeError('no upstream section');
    const assembled = await assembleUpstream(upstream, logger);
    if (!assembled.ok) return { ok: false, problems: assembled.problems };
    return {
      ok: true,
      start: () => started('upstream', upstream.listen, () => serveUpstream(assembled.assembly, logger)),
      discard: assembled.assembly.close,
      warnings: assembled.warnings,
    };
  },
};

async function started(
  name: TierName,
  listen: { readonly host: string; readonly port: number },
  start: () => Promise<Omit<Tier, 'name' | 'place'>>,
): Promise<Tier> {
  try {
    const tier = await start();
    const place = WILDCARDS.has(listen.host) ? `every address of this machine, port ${tier.port}` : tier.url;
    return { name, url: tier.url, port: tier.port, place, close: () => tier.close(), kill: () => tier.kill() };
  } catch (error) {
    const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
    throw portInUse(
      error,
      `${host}:${listen.port}`,
      `choose another with --set ${name}.listen=${host}:PORT (0: any free port)`,
    );
  }
}

/** Reads what the sections of a configuration refer to, and says what is wrong with it. */
export async function prepareProblems(config: Config, locate: Locate, logger: Logger): Promise<Problem[]> {
  const present = (['downstream', 'upstream'] as const).filter((name) => config[name] !== undefined);
  const prepared = await Promise.all(present.map((name) => PREPARE[name](config, logger)));
  await Promise.all(prepared.map((one) => (one.ok ? one.discard() : undefined)));
  return prepared.flatMap((one, i) => locate(present[i] as TierName, one.ok ? one.warnings : one.problems));
}
