#!/usr/bin/env node
// Keeps chains of several schemes under mixed load with faults, and looks whether they come back to where they were:
//   npm run soak [-- MINUTES]        default: 2; afterwards sockets, file descriptors, timers and memory are as before
import { randomInt } from 'node:crypto';
import { measure, returnsTo } from './soak/base.mjs';
import { startChains } from './soak/chains.mjs';
import { KINDS } from './soak/kinds.mjs';

const [minutes = '2'] = process.argv.slice(2);
const duration = Number(minutes) * 60_000;
if (!(duration > 0) || globalThis.gc === undefined) {
  console.error('soak: expected a number of minutes, and to be run by `npm run soak`, which lets it collect garbage');
  process.exit(2);
}
/** Clients of each chain; what each does next is drawn, or those who leave at once would crowd out the others. */
const CLIENTS = 30;
/** Code is compiled and pools are filled before anything is compared. */
const WARM_UP = Math.min(10_000, duration / 4);

const chains = await startChains();
const counts = new Map(KINDS.map(({ name }) => [name, 0]));
const problems = [];

async function load(milliseconds) {
  const until = Date.now() + milliseconds;
  const client = async (chain) => {
    const kinds = KINDS.filter(({ of }) => of === undefined || of(chain));
    while (Date.now() < until && problems.length < 10) {
      const kind = kinds[randomInt(kinds.length)];
      try {
        await kind.run(chain);
        counts.set(kind.name, counts.get(kind.name) + 1);
      } catch (error) {
        problems.push(`${kind.name}, ${chain.name}: ${error.stack}`);
      }
    }
  };
  await Promise.all(chains.flatMap((chain) => Array.from({ length: CLIENTS }, () => client(chain))));
}

await load(WARM_UP);
const base = await measure(chains);
console.log('before', JSON.stringify(base));
const report = setInterval(() => console.log(JSON.stringify(Object.fromEntries(counts))), 30_000);
await load(duration - WARM_UP);
clearInterval(report);
problems.push(...(await returnsTo(base, chains)));
console.log('after ', JSON.stringify(await measure(chains)));
console.log(JSON.stringify(Object.fromEntries(counts)));
for (const chain of chains) await chain.close();
for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? 'soak: everything is back where it was' : `soak: ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
