// A process: makes one load, writes its result as a line of JSON on stdout, and keeps open what is open until stdin ends.
//   node generator.mjs '{"kind":"connect","port":3128,…}'
import { load as connect } from './connect.mjs';
import { load as http } from './http.mjs';
import { load as idle } from './idle.mjs';
import { load as storm } from './storm.mjs';
import { load as tunnel } from './tunnel.mjs';

const LOADS = { connect, http, idle, storm, tunnel };

const { kind, ...options } = JSON.parse(process.argv[2] ?? '{}');
process.stdout.write(`${JSON.stringify(await LOADS[kind](options))}\n`);
process.stdin.on('end', () => process.exit()).resume();
