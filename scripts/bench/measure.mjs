import { CONTESTANTS, PEERS } from './contestants.mjs';
import { makeLoad } from './load.mjs';
import { treeOf } from './process-tree.mjs';
import { SETTINGS } from './settings.mjs';
import { Stage } from './stage.mjs';
import { UNITS } from './units.mjs';

/** Seconds of load before the first measurement, so that caches are filled and code is compiled. */
const WARM_UP = 4;

/**
 * @typedef {{ cost: number, throughput: number, p50?: number, p99?: number, memory: number }} Sample
 *   `cost`: microseconds of CPU, or bytes, for each unit; times in milliseconds, memory in bytes
 * @typedef {{ failed: { errors: number, first: string } }} Failure
 * @typedef {{ seconds: number, rounds: number, nodeArgs: readonly string[] }} Settings
 */

/**
 * Measures what a row compares: round by round, in each round one contestant after the other, so that what else the machine
 * does hits all alike. One that has failed is not measured again.
 *
 * @param {import('./rows.mjs').ROWS[number]} row
 * @param {readonly string[]} names of contestants
 * @param {Settings} settings
 * @param {(name: string) => void} report told before each measurement
 * @returns {Promise<Map<string, Sample[] | Failure>>}
 */
export async function measureRow(row, names, settings, report) {
  /** @type {Map<string, Sample[] | Failure>} */
  const results = new Map(names.map((name) => [name, []]));
  const attempt = async (name, once) => {
    const samples = results.get(name);
    if (!Array.isArray(samples)) return;
    report(name);
    const outcome = await once().catch((error) => failure(1, error.message));
    if (outcome === undefined) return;
    if ('failed' in outcome) results.set(name, outcome);
    else samples.push(outcome);
  };
  const rounds = Array.from({ length: settings.rounds });
  if (row.fresh) {
    for (const _ of rounds) {
      for (const name of names) await attempt(name, () => onStage((stage) => measureFresh(stage, row, name, settings)));
    }
    return results;
  }
  await onStage(async (stage) => {
    const setting = await SETTINGS[row.setting](stage, row.load);
    const running = new Map();
    for (const name of names) {
      await attempt(name, async () => {
        running.set(name, await start(setting, name, settings));
        const { failed } = await sample(row, setting, name, running.get(name), Math.min(WARM_UP, settings.seconds));
        return failed && { failed };
      });
    }
    for (const _ of rounds) {
      for (const name of names)
        await attempt(name, () => sample(row, setting, name, running.get(name), settings.seconds));
    }
  });
  return results;
}

async function onStage(use) {
  const stage = new Stage();
  try {
    return await use(stage);
  } finally {
    await stage.close();
  }
}

async function measureFresh(stage, row, name, settings) {
  const setting = await SETTINGS[row.setting](stage, row.load);
  return sample(row, setting, name, await start(setting, name, settings), settings.seconds);
}

function start(setting, name, { nodeArgs }) {
  const { peer, options } = CONTESTANTS[name];
  return setting.start(PEERS[peer].proxy, { ...options, nodeArgs });
}

const failure = (errors, first) => ({ failed: { errors, first } });

/** The hard limit of descriptors, which Node takes for itself and its children. */
function openFiles() {
  const limit = process.report.getReport().userLimits?.open_files.hard;
  return typeof limit === 'number' ? limit : Infinity;
}

/** @returns {Promise<Sample | Failure>} */
async function sample({ unit, load }, { authority, credentials }, name, { port, pids }, seconds) {
  if (load.files > openFiles()) return failure(1, `needs ulimit -n ${load.files}`);
  const { peer, beside } = CONTESTANTS[name];
  const { reuse = true } = PEERS[peer];
  const url = `http://${authority}${load.path}`;
  const target = authority.includes(':') ? authority : `${authority}:443`;
  const { measure } = UNITS[unit];
  const measured = () => {
    const before = treeOf(pids)[measure]();
    return makeLoad({ ...load, port, url, target, credentials, seconds, reuse }, (result) => {
      if (result.errors > 0 || result.units === 0) return failure(result.errors, result.first ?? 'nothing was done');
      const tree = treeOf(pids);
      const { units, p50, p99 } = result;
      const cost = (tree[measure]() - before) / units;
      return { cost, throughput: units / result.seconds, p50, p99, memory: tree.memory() };
    });
  };
  if (beside === undefined) return measured();
  return makeLoad({ ...beside, port, seconds, reuse }, ({ errors, first }) =>
    errors > 0 ? failure(errors, first) : measured(),
  );
}
