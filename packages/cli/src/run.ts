import type { Logger, Problem, StateStore } from '@chain407/core';
import { createLogger, formatProblem, isStateUrl, MEMORY, openStateStore, readSource } from '@chain407/core';
import { assemble as assembleDownstream, serve as serveDownstream } from '@chain407/downstream';
import { assemble as assembleUpstream, serve as serveUpstream } from '@chain407/upstream';
import { EXIT } from './exit.ts';
import type { Running } from './lifecycle.ts';
import { runUntilSignal, Signals } from './lifecycle.ts';
import { portInUse } from './listen-error.ts';
import type { Config, ConfigOptions, Locate, TierName } from './load.ts';
import { load, refuse } from './load.ts';
import { removeReadyFile, writeReadyFile } from './ready-file.ts';
import { primaryState, runUntilDrained, startWorkers, workerCount, workerNumber } from './workers.ts';

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
  const worker = workerNumber();
  if (worker !== undefined) return runWorker(worker, config);
  const logger = createLogger(config.log.level);
  const opened = await openState(config, logger);
  if (!opened.ok) return refuse(locate('state', opened.problems));
  const { state } = opened;
  const prepared = await Promise.all(names.map((name) => PREPARE[name](config, logger, state)));
  const problems = prepared.flatMap((one, i) => (one.ok ? [] : locate(names[i] as TierName, one.problems)));
  if (problems.length > 0) {
    await Promise.all([...prepared.map((one) => one.ok && one.discard()), state.store.close()]);
    return refuse(problems);
  }
  for (const [i, one] of prepared.entries()) {
    const warnings = one.ok ? locate(names[i] as TierName, one.warnings) : [];
    for (const warning of warnings) logger.warn(formatProblem(warning));
  }

  const signals = new Signals(() =>
    logger.warn('SIGHUP: secrets are followed by themselves; to take on another configuration, restart'),
  );
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
    await state.store.close();
  }
  if (options.readyFile !== undefined) removeReadyFile(options.readyFile);
  return EXIT.good;
}

function place(name: TierName, tier: Tier | undefined): object {
  return tier === undefined ? {} : { [name]: { url: tier.url } };
}

/** What is shared, and whether anybody else shares it. */
interface State {
  readonly store: StateStore;
  readonly shared: boolean;
}

type OpenedState =
  | { readonly ok: true; readonly state: State }
  | { readonly ok: false; readonly problems: readonly Problem[] };

async function openState({ state }: Config, logger: Logger): Promise<OpenedState> {
  const read = await readSource(state.url);
  const message = read.ok ? 'expected memory: or the address of a Redis, redis://HOST:PORT' : read.message;
  if (!read.ok || !isStateUrl(read.secret.reveal()))
    return { ok: false, problems: [{ severity: 'error', path: 'url', message }] };
  const store = await openStateStore(read.secret, (text) => logger.warn(text));
  return { ok: true, state: { store, shared: read.secret.reveal() !== MEMORY } };
}

/** One of several processes of a downstream: the primary starts, watches and ends it. */
async function runWorker(worker: number, { downstream, log }: Config): Promise<number> {
  if (downstream === undefined) throw new TypeError('a worker without a downstream section');
  const logger = createLogger(log.level).child({ worker });
  const assembled = await assembleDownstream(downstream, logger, primaryState());
  try {
    // The primary has read the same a moment before.
    if (!assembled.ok) return refuse(assembled.problems);
    const { assembly } = assembled;
    await runUntilDrained(await started('downstream', downstream.listen, () => serveDownstream(assembly, logger)));
    return EXIT.good;
  } finally {
    process.disconnect?.();
  }
}

async function startDownstreamWorkers(
  count: number,
  { host, tls }: { readonly host: string; readonly tls?: object | undefined },
  state: StateStore,
  logger: Logger,
): Promise<Omit<Tier, 'name' | 'place'>> {
  const workers = await startWorkers(count, state, logger);
  const authority = host.includes(':') ? `[${host}]` : host;
  return { ...workers, url: `${tls === undefined ? 'http' : 'https'}://${authority}:${workers.port}` };
}

/** Reads what a configuration refers to (secrets, user files); nothing listens yet. */
const PREPARE: { readonly [N in TierName]: (config: Config, logger: Logger, state: State) => Promise<Prepared> } = {
  downstream: async ({ downstream }, logger, { store, shared }) => {
    if (downstream === undefined) throw new TypeError('no downstream section');
    const assembled = await assembleDownstream(downstream, logger, shared ? store : undefined);
    if (!assembled.ok) return { ok: false, problems: assembled.problems };
    const count = workerCount(downstream.workers);
    const start = () => {
      if (count === 1) return serveDownstream(assembled.assembly, logger);
      assembled.assembly.close();
      return startDownstreamWorkers(count, downstream.listen, store, logger);
    };
    return {
      ok: true,
      start: () => started('downstream', downstream.listen, start),
      discard: async () => assembled.assembly.close(),
      warnings: [],
    };
  },
  upstream: async ({ upstream }, logger, { store }) => {
    if (upstream === undefined) throw new TypeError('no upstream section');
    const assembled = await assembleUpstream(upstream, logger, store);
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
    return {
      name,
      url: tier.url,
      port: tier.port,
      place,
      close: (since) => tier.close(since),
      kill: () => tier.kill(),
    };
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
  const opened = await openState(config, logger);
  if (!opened.ok) return locate('state', opened.problems);
  const prepared = await Promise.all(present.map((name) => PREPARE[name](config, logger, opened.state)));
  await opened.state.store.close();
  await Promise.all(prepared.map((one) => (one.ok ? one.discard() : undefined)));
  return prepared.flatMap((one, i) => locate(present[i] as TierName, one.ok ? one.warnings : one.problems));
}
