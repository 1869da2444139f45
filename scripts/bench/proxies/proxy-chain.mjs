import { PASSWORD, USER } from '../given.mjs';
import { beside } from '../stage.mjs';

/** It comes with the dependencies of this repository. */
export function there() {
  try {
    import.meta.resolve('proxy-chain');
    return true;
  } catch {
    return false;
  }
}

/**
 * @param {import('../stage.mjs').Stage} stage
 * @param {{ hop: number }} options
 */
export async function startDownstream(stage, { hop }) {
  const url = `http://${USER}:${PASSWORD}@127.0.0.1:${hop}`;
  const folder = stage.subfolder('proxy-chain');
  const { pid, told } = await stage.startNode([beside('proxies/proxy-chain-server.mjs'), url], { folder });
  return { port: told.port, pids: [pid] };
}
