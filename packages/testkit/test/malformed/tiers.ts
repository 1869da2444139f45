import { setImmediate } from 'node:timers/promises';
import type { RunningTier } from '@chain407/core';
import { createLogger } from '@chain407/core';
import { downstreamSchema, startDownstream } from '@chain407/downstream';
import { startUpstream, upstreamSchema } from '@chain407/upstream';
import { RawConnection } from '../../src/index.ts';
import { MARK, NextHop } from './next-hop.ts';

const logger = createLogger('silent', { write: () => undefined });
const LISTEN = '127.0.0.1:0';

/** The tiers, each behind a next hop of its own: `names` are other hosts that lead to it. */
export const TIERS: Readonly<Record<string, (hop: NextHop, names: readonly string[]) => Promise<RunningTier>>> = {
  downstream: (hop) =>
    startDownstream(
      downstreamSchema('/').parse({
        listen: LISTEN,
        identity: 'none',
        upstreams: { hop: { url: `http://${hop.authority}` } },
        limits: { drain: '1s' },
      }),
      { logger },
    ),
  upstream: (hop, names) =>
    startUpstream(
      upstreamSchema('/').parse({
        listen: LISTEN,
        auth: { anonymous: true },
        private: 'allow',
        ports: { connect: ['1-65535'], any: ['1-65535'] },
        hosts: Object.fromEntries(names.map((name) => [name, hop.authority])),
        // No case reaches anything but the next hop.
        access: [{ allow: { to: ['127.0.0.1', ...names] } }],
        limits: { drain: '1s' },
      }),
      { logger },
    ),
};

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

export async function startStand(name: string, names: readonly string[] = []): Promise<Stand> {
  const start = TIERS[name];
  if (start === undefined) throw new Error(`expected one of ${Object.keys(TIERS).join(', ')}, got ${name}`);
  const hop = await NextHop.start();
  const tier = await start(hop, names);
  const stop = async (): Promise<void> => {
    await eventually('no client connection is open', () => tier.connections === 0);
    await tier.close();
    // What the tier kept for later goes with it.
    await eventually('no connection to the next hop is open', () => hop.sockets.size === 0);
    await hop.stop();
  };
  return { hop, tier, connect: name === 'upstream' ? 'dials' : 'asks', stop };
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
