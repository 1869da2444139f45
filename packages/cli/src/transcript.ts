import { STATUS_CODES } from 'node:http';
import type { Described } from '@chain407/auth';
import { printable } from '@chain407/auth';
import type { Leg } from '@chain407/core';
import { valuesOf } from '@chain407/core';
import { paint } from './output.ts';

interface Line {
  /** Milliseconds, Unix time. */
  readonly at: number;
  readonly order: number;
  readonly who: string;
  readonly text: string;
}

/**
 * Legs as people read them: who said what to whom, in the order in which it was said. A leg is two lines, so a request
 * that others are nested in closes after them.
 */
export function transcript(legs: readonly Leg[]): string {
  const told = toldOnce(legs);
  const began = Math.min(...told.map((leg) => leg.at));
  const lines = told.flatMap((leg) => [asked(leg), answered(leg)]).sort((a, b) => a.at - b.at || a.order - b.order);
  const width = Math.max(...told.map((leg) => arrow(leg.from, leg.to).length));
  return lines
    .map(({ at, who, text }) => `${`${(at - began).toFixed(1)} ms`.padStart(9)}  ${who.padEnd(width)}  ${text}`)
    .join('\n');
}

/** In one process, what goes between the tiers is seen from both ends; the downstream's view has the upstream's name. */
function toldOnce(legs: readonly Leg[]): readonly Leg[] {
  const both =
    legs.some((leg) => leg.from === 'downstream') &&
    legs.some((leg) => leg.from === 'client' && leg.to === 'downstream');
  return both ? legs.filter((leg) => !(leg.from === 'client' && leg.to === 'upstream')) : legs;
}

const arrow = (from: string, to: string): string => `${from} → ${to}`;

function asked(leg: Leg): Line {
  const { credentials, method, target } = leg;
  const shown = credentials === undefined ? 'no credentials' : inShort(credentials);
  return {
    at: leg.at,
    order: leg.from === 'client' ? 0 : 1,
    who: arrow(leg.from, leg.to),
    text: `${printable(`${method} ${target}`)}  ${paint('cyan', `[${printable(shown)}]`)}`,
  };
}

function answered(leg: Leg): Line {
  const order = leg.from === 'client' ? 3 : 2;
  return { at: leg.at + leg.ms, order, who: arrow(leg.to, leg.from), text: result(leg) };
}

/** What tells one leg from another at a glance; all fields stand in the legs of `trace` and of the log. */
const TELLING: ReadonlySet<string> = new Set([
  ...['message', 'kind', 'user', 'username', 'userhash', 'password', 'token', 'credentials', 'realm'],
  ...['algorithm', 'nc', 'stale', 'error', 'malformed'],
]);

function inShort({ scheme, fields }: Described): string {
  const told = Object.entries(fields).filter(([name]) => TELLING.has(name));
  return [scheme, ...told.map(([name, value]) => `${name}=${value}`)].join(' ');
}

function result({ status, error, responseHeaders, challenges }: Leg): string {
  if (status === undefined) return paint('red', error ?? 'no answer');
  const said = `${status} ${STATUS_CODES[status] ?? ''}`.trimEnd();
  const asks = status === 407 ? (challenges ?? []).map((challenge) => `  ${inShort(challenge)}`) : [];
  const why = valuesOf(responseHeaders, 'proxy-status')
    .map((value) => /details="((?:[^"\\]|\\.)*)"/.exec(value)?.[1])
    .at(-1);
  const text = printable([said, ...asks].join(''));
  const style = status < 400 ? 'green' : 'yellow';
  return why === undefined ? paint(style, text) : `${paint(style, text)}  ${paint('dim', `(${printable(why)})`)}`;
}
