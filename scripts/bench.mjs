#!/usr/bin/env node
// Compares with the peers that are installed, on loopback: npm run bench [-- --rows get-1k,tunnel --peers chain407,squid …].
// Tells the cost of each proxy (CPU of its processes per unit, or memory), and whether the targets are reached.
// Exit status 1 where a measurement saw an error, 2 for wrong usage.
import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { CONTESTANTS, PEERS } from './bench/contestants.mjs';
import { measureRow } from './bench/measure.mjs';
import { readOptions, USAGE, UsageError } from './bench/options.mjs';
import { linesOf, verdictsOf } from './bench/result.mjs';
import { installed, Stage } from './bench/stage.mjs';
import { remarks, table, verdictText } from './bench/table.mjs';

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
process.once('exit', () => Stage.killAll());

async function main({ rows, peers = Object.keys(PEERS), seconds, rounds, profiles, json, markdown }) {
  const missing = peers.filter((peer) => !PEERS[peer].there());
  const say = (text) => process.stderr.write(`${text}\n`);
  if (missing.length > 0)
    say(`missing: ${missing.join(', ')} (scripts/peers/install --bench installs peers on Debian)`);
  const tools = Object.fromEntries(['wrk', 'nginx'].map((program) => [program, installed(program)]));
  for (const [program, there] of Object.entries(tools)) {
    if (!there) say(`missing: ${program}; a program in Node takes its place, which costs more`);
  }
  if (profiles !== undefined) mkdirSync(profiles, { recursive: true });
  const nodeArgs = profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(profiles)}`];

  const lines = [];
  for (const row of rows) {
    const names = row.contestants.filter((name) => {
      const { peer } = CONTESTANTS[name];
      return peers.includes(peer) && !missing.includes(peer);
    });
    const results = await measureRow(row, names, { seconds, rounds, nodeArgs }, (name) => say(`${row.name}: ${name}`));
    lines.push(...linesOf(row, results));
  }

  const cores = availableParallelism();
  const targets = verdictsOf(lines, cores);
  if (json) {
    const surroundings = { node: process.version, cores, seconds, rounds, missing, tools };
    console.log(JSON.stringify({ ...surroundings, lines, targets }, undefined, 2));
  } else {
    console.log(table(lines, { markdown }));
    for (const section of [remarks(lines), targets.map(verdictText)]) {
      if (section.length > 0) console.log(['', ...section].join('\n'));
    }
  }
  return lines.some(({ failed }) => failed !== undefined) ? 1 : 0;
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) console.log(USAGE);
  else if (options.list) console.log(options.rows.map(({ name, title }) => `${name.padEnd(16)} ${title}`).join('\n'));
  else process.exitCode = await main(options);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`bench: ${error.message}\n${USAGE}`);
  process.exitCode = 2;
}
