// A tier in a process of its own, which counts and weighs itself:
//   fork('tier-process.mjs', ['downstream' | 'upstream', '{"limits":{…}}'], { execArgv: ['--expose-gc'] })
// Says { port } once it listens, answers 'measure', and ends at 'end'.
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

const ANSWERS = {
  measure: async () => {
    await setImmediate();
    globalThis.gc();
    const { connections } = tier;
    return { connections, descriptors: descriptors(), memory: process.memoryUsage().rss, errors };
  },
  end: async () => {
    await tier.kill();
    return { errors };
  },
};

process.on('message', async (ask) => {
  process.send(await ANSWERS[ask]());
  if (ask === 'end') process.disconnect();
});
process.on('disconnect', () => process.exit());
process.send({ port: tier.port });
