import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PASSWORD, USER } from '../given.mjs';
import { beside } from '../stage.mjs';

const BIN = beside('../../packages/cli/bin/chain407.cjs');

/**
 * Starts one tier by its command. `log` and `workers` as in its configuration; YAML reads JSON.
 *
 * @param {import('../stage.mjs').Stage} stage
 * @param {'downstream' | 'upstream'} tier
 * @param {{ log?: string, section: object, nodeArgs?: readonly string[] }} options
 */
async function startTier(stage, tier, { log = 'warn', section, nodeArgs = [] }) {
  const folder = stage.subfolder(`chain407-${tier}`);
  const file = join(folder, 'chain407.yaml');
  const ready = join(folder, 'ready.json');
  const limits = { drain: '1s' };
  writeFileSync(file, JSON.stringify({ log: { level: log }, [tier]: { listen: '127.0.0.1:0', limits, ...section } }));
  const args = [...nodeArgs, BIN, tier, '-c', file, '--ready-file', ready];
  const { pid, told } = await stage.startNode(args, { folder, ready });
  return { port: Number(new URL(told[tier].url).port), pids: [pid] };
}

/**
 * @param {import('../stage.mjs').Stage} stage
 * @param {{ hop: number, scheme: string, log?: string, workers?: number | 'auto', nodeArgs?: readonly string[] }} options
 */
export function startDownstream(stage, { hop, scheme, log, workers = 1, nodeArgs }) {
  const section = {
    workers,
    identity: 'substitute',
    credentials: { bench: { username: USER, password: { value: PASSWORD }, schemes: [scheme] } },
    upstreams: { hop: { url: `http://127.0.0.1:${hop}`, credentials: 'bench' } },
  };
  return startTier(stage, 'downstream', { log, section, nodeArgs });
}

/**
 * @param {import('../stage.mjs').Stage} stage
 * @param {{ scheme: string, hash?: string, nodeArgs?: readonly string[] }} options `hash`: verify against it instead of the password
 */
export function startUpstream(stage, { scheme, hash, nodeArgs }) {
  const section = {
    auth: { schemes: [scheme] },
    users: [{ name: USER, ...(hash === undefined ? { password: { value: PASSWORD } } : { hash }) }],
    ports: { connect: ['1-65535'], any: ['1-65535'] },
    private: 'allow',
  };
  return startTier(stage, 'upstream', { section, nodeArgs });
}
