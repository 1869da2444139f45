import { parseArgs } from 'node:util';
import { PEERS } from './contestants.mjs';
import { ROWS } from './rows.mjs';

export const USAGE = `usage: npm run bench -- [--rows NAME,…] [--peers NAME,…] [--seconds N] [--rounds N] [--json | --markdown] [--list]
  --rows      which; a name, or its beginning up to a dash: get-1k, connect. Default: all
  --peers     which proxies. Default: all that are installed (scripts/peers/install --bench)
  --seconds   of load in each measurement. Default: 5
  --rounds    of measurements; medians are shown. Default: 3
  --cpu-prof  a folder: Chain407's processes write CPU profiles there`;

const OPTIONS = {
  rows: { type: 'string' },
  peers: { type: 'string' },
  seconds: { type: 'string', default: '5' },
  rounds: { type: 'string', default: '3' },
  'cpu-prof': { type: 'string' },
  json: { type: 'boolean', default: false },
  markdown: { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
};

/** Wrong usage; the message says what would be right. */
export class UsageError extends Error {}

/** @param {readonly string[]} argv */
export function readOptions(argv) {
  const { values } = parse(argv);
  return {
    rows: values.rows === undefined ? ROWS : rowsNamed(values.rows),
    peers: values.peers === undefined ? undefined : peersNamed(values.peers),
    seconds: count('--seconds', values.seconds),
    rounds: count('--rounds', values.rounds),
    profiles: values['cpu-prof'],
    json: values.json,
    markdown: values.markdown,
    list: values.list,
    help: values.help,
  };
}

function parse(argv) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS });
  } catch (error) {
    throw new UsageError(error.message);
  }
}

function rowsNamed(list) {
  const wanted = list.split(',').map((name) => {
    const found = ROWS.filter((row) => row.name === name || row.name.startsWith(`${name}-`));
    if (found.length > 0) return found;
    throw new UsageError(`no row ${name}; expected some of ${ROWS.map((row) => row.name).join(', ')}`);
  });
  return ROWS.filter((row) => wanted.flat().includes(row));
}

function peersNamed(list) {
  const names = Object.keys(PEERS);
  return list.split(',').map((name) => {
    if (names.includes(name)) return name;
    throw new UsageError(`no peer ${name}; expected some of ${names.join(', ')}`);
  });
}

function count(option, text) {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new UsageError(`expected ${option} to be a whole number, at least 1, got ${text}`);
}
