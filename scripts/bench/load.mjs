import { spawn } from 'node:child_process';
import { beside, environment, installed } from './stage.mjs';

/** Milliseconds that a load may take beyond its own time. */
const GRACE = 120_000;

/**
 * @typedef {{
 *   units: number, seconds: number, errors: number, first?: string, p50?: number, p99?: number,
 * }} LoadResult times in milliseconds; `first`: the first error
 */

/**
 * Makes a load in a process of its own. `measure` is called while everything that the load has opened is still open.
 *
 * @template T
 * @param {{ kind: string, seconds?: number, reuse: boolean }} options see the modules in loads/
 * @param {(result: LoadResult) => T | Promise<T>} measure
 * @returns {Promise<T>}
 */
export function makeLoad(options, measure) {
  return options.kind === 'http' && options.reuse && installed('wrk')
    ? wrk(options, measure)
    : generator(options, measure);
}

async function generator(options, measure) {
  const child = run(process.execPath, [beside('loads/generator.mjs'), JSON.stringify(options)], options.seconds);
  const line = await child.until((said) => said.endsWith('\n'));
  const measured = await measure(JSON.parse(line));
  child.process.stdin.end();
  await child.closed;
  return measured;
}

async function wrk({ port, method, url, content, size, credentials, seconds, concurrency }, measure) {
  const script = ['-s', beside('loads/wrk.lua'), `http://127.0.0.1:${port}`];
  const args = ['-t1', `-c${concurrency}`, `-d${seconds}s`, '--timeout', '10s', ...script, '--', method, url, content];
  const child = run('wrk', credentials === undefined ? args : [...args, credentials], seconds);
  const said = await child.closed;
  const last = said.trimEnd().split('\n').at(-1) ?? '';
  if (!last.startsWith('{')) throw new Error(`wrk failed; it said:\n${said.slice(-500)}`);
  const { requests, bytes, microseconds, p50, p99, ...errors } = JSON.parse(last);
  const kinds = Object.entries(errors).filter(([, count]) => count > 0);
  if (bytes < requests * size) kinds.push(['short body', 1]);
  if (requests === 0) kinds.push(['no response', 1]);
  return measure({
    units: requests,
    seconds: microseconds / 1_000_000,
    errors: kinds.reduce((total, [, count]) => total + count, 0),
    first: kinds.map(([kind, count]) => `${kind} ${count}`).join(', ') || undefined,
    p50: p50 / 1000,
    p99: p99 / 1000,
  });
}

function run(command, args, seconds = 0) {
  const child = spawn(command, args.map(String), { stdio: ['pipe', 'pipe', 'inherit'], env: environment() });
  const timer = setTimeout(() => child.kill('SIGKILL'), seconds * 1000 + GRACE);
  const leave = () => child.kill('SIGKILL');
  process.once('exit', leave);
  let said = '';
  const closed = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => {
      clearTimeout(timer);
      process.off('exit', leave);
      resolve(said);
    });
  });
  const until = (complete) =>
    new Promise((resolve, reject) => {
      child.stdout.on('data', () => complete(said) && resolve(said));
      closed.then(() => reject(new Error(`${command} ended before it had a result: ${said}`)), reject);
    });
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  return { process: child, closed, until };
}
