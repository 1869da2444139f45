#!/usr/bin/env node
// Feeds broken input to the parsers of what comes over the wire: npm run fuzz [-- --runs N] [--seed S] [--only NAME]. Default: a million inputs each.
// A parser that throws or breaks one of its promises ends with the input that did it, and exit status 1.
import { parseArgs } from 'node:util';
import { Mutator } from './fuzz/mutate.mjs';
import { TARGETS } from './fuzz/targets.mjs';

const { values } = parseArgs({
  options: { runs: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string' } },
});
const runs = Number(values.runs ?? 1_000_000);
const seed = Number(values.seed ?? Date.now() % 0x1_0000_0000);
if (!Number.isSafeInteger(runs) || runs < 1 || !Number.isSafeInteger(seed) || seed < 0) {
  console.error('fuzz: expected --runs N and --seed S to be whole numbers, with at least one run');
  process.exit(2);
}
const targets = TARGETS.filter(({ name }) => values.only === undefined || name === values.only);
if (targets.length === 0) {
  console.error(`fuzz: expected --only to be one of ${TARGETS.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

let failed = 0;
for (const { name, samples, feed } of targets) {
  const mutator = new Mutator(seed, samples);
  const at = performance.now();
  let input = Buffer.alloc(0);
  try {
    for (let i = 0; i < runs; i += 1) {
      input = mutator.next();
      const pending = feed(input);
      if (pending !== undefined) await pending;
    }
    console.log(`${name.padEnd(24)} ${runs} inputs, ${Math.round(performance.now() - at)} ms`);
  } catch (error) {
    failed += 1;
    console.error(
      `${name}: failed with --seed ${seed}, on this input (base64):\n${input.toString('base64')}\n${error.stack}`,
    );
  }
}
process.exit(failed === 0 ? 0 : 1);
