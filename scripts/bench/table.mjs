import { MARKS } from './result.mjs';
import { UNITS } from './units.mjs';

const MIB = 1024 * 1024;

/** Three digits that say something, never in exponents. */
function figure(number = Number.NaN, digits = 3) {
  if (Number.isNaN(number)) return '-';
  const whole = Math.max(0, Math.floor(Math.log10(Math.abs(number) || 1)) + 1);
  return number.toFixed(Math.max(0, digits - Math.max(1, whole)));
}

const NAMES = ['row', 'proxy'];
const COLUMNS = [
  { name: 'row', cell: ({ row }) => row },
  { name: 'proxy', cell: ({ contestant }) => contestant },
  { name: 'cost', right: true, cell: ({ cost, unit }) => `${figure(cost / UNITS[unit].scale)} ${UNITS[unit].label}` },
  ...MARKS.map((mark) => ({ name: `× ${mark}`, right: true, cell: ({ ratios }) => figure(ratios[mark]) })),
  { name: 'throughput', right: true, cell: ({ throughput, unit }) => `${figure(throughput)} ${UNITS[unit].rate}` },
  { name: 'p50 ms', right: true, cell: ({ p50 }) => figure(p50) },
  { name: 'p99 ms', right: true, cell: ({ p99 }) => figure(p99) },
  { name: 'MiB', right: true, cell: ({ memory }) => figure(memory / MIB) },
];

const failure = ({ errors }) => `failed: ${errors} ${errors === 1 ? 'error' : 'errors'}`;

/** A line that failed counts for nothing: it says so, and has no figures. */
function cells(line) {
  const { failed } = line;
  return COLUMNS.map(({ name, cell }) => {
    if (failed === undefined || NAMES.includes(name)) return cell(line);
    return name === 'cost' ? failure(failed) : '-';
  });
}

/**
 * @param {readonly import('./result.mjs').Line[]} lines
 * @param {{ markdown: boolean }} options `markdown`: with the pipes of a table in Markdown
 */
export function table(lines, { markdown }) {
  const rows = [COLUMNS.map(({ name }) => name), ...lines.map(cells)];
  const widths = COLUMNS.map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  const pad = (text, i) => (COLUMNS[i].right ? text.padStart(widths[i]) : text.padEnd(widths[i]));
  const rule = COLUMNS.map(({ right }, i) => (right ? `${'-'.repeat(widths[i] - 1)}:` : '-'.repeat(widths[i])));
  const padded = rows.map((row) => row.map(pad));
  if (!markdown) return padded.map((row) => row.join('  ').trimEnd()).join('\n');
  return [padded[0], rule, ...padded.slice(1)].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/**
 * What there is to say about a table, a line each.
 *
 * @param {readonly import('./result.mjs').Line[]} lines
 */
export function remarks(lines) {
  const single = [...new Set(lines.filter(({ reuse }) => !reuse).map(({ contestant }) => contestant))];
  return [
    ...single.map((name) => `${name} keeps no connection alive: each request had one of its own`),
    ...lines.flatMap(({ row, contestant, failed }) =>
      failed === undefined ? [] : [`${row}: ${contestant} ${failure(failed)}, first: ${failed.first.trim()}`],
    ),
  ];
}

/** @param {import('./result.mjs').Verdict} verdict */
export function verdictText({ row, contestant, against, measure, atMost, atLeast, ratio, reached }) {
  const limit = atMost === undefined ? `at least ${atLeast}` : `at most ${atMost}`;
  const what = measure === 'cost' ? '' : ` ${measure}`;
  return `${reached ? 'reached    ' : 'not reached'}  ${row}: ${contestant} ${figure(ratio)} × ${against}${what}, wanted ${limit}`;
}
