// A tier in a process of its own, which counts and weighs itself:
//   fork('tier-process.mjs', ['downstream' | 'upstream', '{"limits":{…}}'], { execArgv: ['--expose-gc'] })
// Says { port } once it listens, answers 'measure', and ends with its parent.
import { readdirSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { createLogger } from '@chain407/core';
import { downstreamSchema, startDownstream } from '@chain407/downstream';
import { startUpstream, upstreamSchema } from '@chain407/upstream';

const TIERS = {
  downstream: (section, options) => startDownstream(downstreamSchema('/').parse(section), options),
  upstream: (section, options) => startUpstream(upstreamSchema('/').parse(section), options),
};

const [role, section] = process.argv.slice(2);
const errors = [];
const logger = createLogger('error', { write: (line) => void errors.push(line) });
const tier = await TIERS[role](JSON.parse(section), { logger });

/** Where the system tells. */
function descriptors() {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}

// The only thing that is asked is 'measure'.
process.on('message', async () => {
  await setImmediate();
  globalThis.gc();
  const { connections } = tier;
  process.send({ connections, descriptors: descriptors(), memory: process.memoryUsage().rss, errors });
});
process.on('disconnect', () => process.exit());
process.send({ port: tier.port });
