import { STATUS_CODES } from 'node:http';
import type { Leg } from '@chain407/core';
import { valuesOf } from '@chain407/core';
import { paint } from './output.ts';

interface Line {
  /** Milliseconds, Unix time. */
  readonly at: number;
  readonly order: number;
  readonly text: string;
}

/**
 * Legs as people read them: who said what to whom, in the order in which it was said. A leg is two lines, so a request
 * that others are nested in closes after them.
 */
export function transcript(legs: readonly Leg[]): string {
  const began = Math.min(...legs.map((leg) => leg.at));
  const lines = legs.flatMap((leg) => [asked(leg), answered(leg)]).sort((a, b) => a.at - b.at || a.order - b.order);
  const width = Math.max(...legs.map((leg) => arrow(leg.from, leg.to).length));
  return lines
    .map(({ at, text }) => `${`${(at - began).toFixed(1)} ms`.padStart(9)}  ${text.replace('\0', ' '.repeat(width))}`)
    .map((line) => align(line, width))
    .join('\n');
}

const arrow = (from: string, to: string): string => `${from} → ${to}`;

/** The column after the arrow starts at the same place on every line; `\t` marks it. */
function align(line: string, width: number): string {
  const [head = '', rest = ''] = line.split('\t');
  return `${head.padEnd(width + 11)}  ${rest}`;
}

function asked(leg: Leg): Line {
  const { credentials, method, target } = leg;
  const fields = Object.entries(credentials?.fields ?? {}).map(([name, value]) => `${name}=${value}`);
  const who = credentials === undefined ? 'no credentials' : [credentials.scheme, ...fields].join(' ');
  return {
    at: leg.at,
    order: leg.from === 'client' ? 0 : 1,
    text: `${arrow(leg.from, leg.to)}\t${method} ${target}  ${paint('cyan', `[${who}]`)}`,
  };
}

function answered(leg: Leg): Line {
  const order = leg.from === 'client' ? 3 : 2;
  return { at: leg.at + leg.ms, order, text: `${arrow(leg.to, leg.from)}\t${result(leg)}` };
}

function result({ status, error, responseHeaders }: Leg): string {
  if (status === undefined) return paint('red', error ?? 'no answer');
  const said = `${status} ${STATUS_CODES[status] ?? ''}`.trimEnd();
  const challenges =
    status === 407 ? valuesOf(responseHeaders, 'proxy-authenticate').map((challenge) => `  ${challenge}`) : [];
  const why = valuesOf(responseHeaders, 'proxy-status')
    .map((value) => /details="((?:[^"\\]|\\.)*)"/.exec(value)?.[1])
    .at(-1);
  const text = [said, ...challenges].join('');
  const style = status < 400 ? 'green' : 'yellow';
  return why === undefined ? paint(style, text) : `${paint(style, text)}  ${paint('dim', `(${why})`)}`;
}
