import { readdirSync } from 'node:fs';
import { setTimeout as passed } from 'node:timers/promises';

/** Kept connections and their timers are over by then, in milliseconds. */
const QUIET = 4_000;
/** Bytes that memory may be above its base: what the engine keeps for speed, whatever ran; a leak of 100 bytes a request shows. */
const SLACK = { rss: 32 * 1024 * 1024, heapUsed: 4 * 1024 * 1024, external: 4 * 1024 * 1024 };
/** So often it may take a moment longer. */
const TRIES = 10;

const fileDescriptors = () => {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
};

/** What there is when nothing happens. */
export async function measure(chains) {
  await passed(QUIET);
  for (const chain of chains) chain.forget();
  globalThis.gc();
  globalThis.gc();
  const resources = process.getActiveResourcesInfo();
  const { rss, heapUsed, external } = process.memoryUsage();
  return {
    connections: chains.reduce((sum, chain) => sum + chain.connections(), 0),
    nonces: chains.reduce((sum, chain) => sum + chain.nonces(), 0),
    fileDescriptors: fileDescriptors(),
    sockets: resources.filter((name) => name === 'TCPSocketWrap').length,
    timers: resources.filter((name) => name === 'Timeout').length,
    ...{ rss, heapUsed, external },
  };
}

/** What has not come back to its base. */
export async function returnsTo(base, chains) {
  let problems = [];
  for (let i = 0; i < TRIES; i += 1) {
    const now = await measure(chains);
    problems = [
      ...['connections', 'nonces', 'fileDescriptors', 'sockets', 'timers']
        .filter((name) => now[name] > base[name])
        .map((name) => `${name}: ${now[name]}, and ${base[name]} before`),
      ...Object.keys(SLACK)
        .filter((name) => now[name] > base[name] + SLACK[name])
        .map((name) => `${name}: ${now[name]} bytes, and ${base[name]} before`),
    ];
    if (problems.length === 0) return [];
  }
  return problems;
}
