import { CONTESTANTS, PEERS } from './contestants.mjs';
import { TARGETS } from './targets.mjs';

/** Every row tells its cost as a ratio to these. */
export const MARKS = ['haproxy', 'squid'];

/**
 * @typedef {{
 *   row: string, title: string, unit: string, contestant: string, peer: string, reuse: boolean,
 *   cost?: number, throughput?: number, p50?: number, p99?: number, memory?: number,
 *   ratios: Record<string, number>, rounds: import('./measure.mjs').Sample[], failed?: { errors: number, first: string },
 * }} Line
 * @typedef {import('./targets.mjs').TARGETS[number] & { ratio: number, reached: boolean }} Verdict
 */

function median(numbers) {
  const known = numbers.filter((number) => number !== undefined).sort((a, b) => a - b);
  const middle = known.length / 2;
  return known.length % 2 === 1 ? known[Math.floor(middle)] : (known[middle - 1] + known[middle]) / 2 || undefined;
}

/**
 * The medians of a row, and the ratios between its contestants.
 *
 * @param {import('./rows.mjs').ROWS[number]} row
 * @param {Awaited<ReturnType<typeof import('./measure.mjs').measureRow>>} results
 * @returns {Line[]}
 */
export function linesOf({ name: row, title, unit }, results) {
  const lines = [...results].map(([contestant, result]) => {
    const { peer } = CONTESTANTS[contestant];
    const facts = { row, title, unit, contestant, peer, reuse: PEERS[peer].reuse ?? true, ratios: {} };
    if (!Array.isArray(result)) return { ...facts, rounds: [], failed: result.failed };
    const medians = ['cost', 'throughput', 'p50', 'p99', 'memory'].map((measure) => [
      measure,
      median(result.map((sample) => sample[measure])),
    ]);
    return { ...facts, ...Object.fromEntries(medians), rounds: result };
  });
  for (const line of lines) {
    for (const mark of MARKS) {
      const other = lines.find(({ contestant }) => contestant === mark);
      if (line.cost !== undefined && other?.cost !== undefined) line.ratios[mark] = line.cost / other.cost;
    }
  }
  return lines;
}

/**
 * The targets of which both sides were measured.
 *
 * @param {readonly Line[]} lines
 * @param {number} cores of this machine
 * @returns {Verdict[]}
 */
export function verdictsOf(lines, cores) {
  return TARGETS.flatMap((target) => {
    const { row, contestant, against, measure, atMost = Infinity, atLeast = 0, cores: wanted = {} } = target;
    if (cores < (wanted.atLeast ?? 0) || cores > (wanted.atMost ?? Infinity)) return [];
    const value = (name) => lines.find((line) => line.row === row && line.contestant === name)?.[measure];
    const [own, other] = [value(contestant), value(against)];
    if (own === undefined || other === undefined) return [];
    const ratio = own / other;
    return [{ ...target, ratio, reached: ratio <= atMost && ratio >= atLeast }];
  });
}
