import { setImmediate } from 'node:timers/promises';
import type { RunningTier } from '@chain407/core';
import { RawConnection } from '../../src/index.ts';
import type { Role } from '../plain-tier.ts';
import { plainSection, startTier } from '../plain-tier.ts';
import { MARK, NextHop } from './next-hop.ts';

/** No case reaches anything but the next hop. */
const leadingTo = (hop: NextHop, names: readonly string[]): object => ({
  hosts: Object.fromEntries(names.map((name) => [name, hop.authority])),
  access: [{ allow: { to: ['127.0.0.1', ...names] } }],
});

/** Under Jest's own limit, so that what is missed is told. */
const DEADLINE_MS = 4_000;

/** Turns the event loop until it holds: for what no event tells, as the number of sockets somewhere. */
export async function eventually(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`it never came to this: ${what}`);
    await setImmediate();
  }
}

/** A tier and what stands behind it. */
export interface Stand {
  readonly hop: NextHop;
  readonly tier: RunningTier;
  /** What CONNECT does: asks the next hop, or dials it. */
  readonly connect: 'asks' | 'dials';
  /** Closes both; afterwards no socket of theirs is open. */
  readonly stop: () => Promise<void>;
}

/** `names` are other hosts that lead an upstream to the hop. */
export async function startStand(role: Role, names: readonly string[] = []): Promise<Stand> {
  const hop = await NextHop.start();
  const section = plainSection(role, hop.port, { drain: '1s' });
  const tier = await startTier(
    role,
    role === 'upstream' ? { ...section, ...leadingTo(hop, names) } : section,
    'silent',
  );
  const stop = async (): Promise<void> => {
    await eventually('no client connection is open', () => tier.connections === 0);
    await tier.close();
    // What the tier kept for later goes with it.
    await eventually('no connection to the next hop is open', () => hop.sockets.size === 0);
    await hop.stop();
  };
  return { hop, tier, connect: role === 'upstream' ? 'dials' : 'asks', stop };
}

/** A good request on a fresh connection gets its own answer, whatever came before. */
export async function ask({ hop, tier }: Stand, path: string): Promise<void> {
  const client = await RawConnection.connect(tier.port);
  const { status, headers, body } = await client.exchange(getOf(hop, path, 'Connection: close\r\n'));
  await client.closed();
  client.destroy();
  const mark = headers[headers.indexOf(MARK) + 1] ?? '';
  if (status !== 200 || !mark.endsWith(path) || !body.toString().endsWith(path)) {
    throw new Error(`asked for ${path}, and got ${status} ${mark} ${body}`);
  }
}

export const getOf = ({ authority }: NextHop, path: string, fields = ''): string =>
  `GET http://${authority}${path} HTTP/1.1\r\nHost: ${authority}\r\n${fields}\r\n`;
