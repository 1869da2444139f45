import type { Leg } from '@chain407/core';
import { valuesOf } from '@chain407/core';
import { legOutcome } from '../../src/index.ts';

/** What of a leg is the same on every run: who, what, with whose credentials, and what came of it. */
function line(leg: Leg): string {
  const { credentials, from, to, method, target } = leg;
  const who = credentials === undefined ? '-' : `${credentials.scheme} ${Object.values(credentials.fields).join(' ')}`;
  const why = valuesOf(leg.responseHeaders, 'proxy-status').map((value) => ` {${value}}`);
  return `  ${from} -> ${to}: ${method} ${target} [${who}] => ${legOutcome(leg)}${why.join('')}`;
}

/** The legs of one request, hop by hop from the client on; within a hop as they happened. Ports are masked. */
export function goldenTranscript(name: string, legs: readonly Leg[]): string {
  const depth = (leg: Leg): number =>
    leg.to === 'downstream' ? 0 : leg.from === 'downstream' ? 1 : leg.to === 'upstream' ? 2 : 3;
  const ordered = legs.map((leg, i) => ({ leg, i })).sort((a, b) => depth(a.leg) - depth(b.leg) || a.i - b.i);
  const text = [name, ...ordered.map(({ leg }) => line(leg))].join('\n');
  return text.replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT');
}
