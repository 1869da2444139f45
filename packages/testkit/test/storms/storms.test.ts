import { Agent } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Role } from '../plain-tier.ts';
import { ROLES } from '../plain-tier.ts';
import { Child } from './child.ts';
import { ask, askMuch, askOnce } from './clients.ts';
import { nextHop } from './next-hop.ts';
import type { Manner } from './storm.ts';
import { storm } from './storm.ts';
import { measure, measureAlone, startTierProcess } from './tier.ts';

/**
 * Whoever can reach a proxy can open connections and say nothing: thousands cost him little. They must cost the proxy little,
 * too, and its other clients nothing. (What they cost in time, `npm run bench` tells.)
 */
const CONNECTIONS = 10_000;
/** Of memory for a connection that has sent no whole head, beside what it sent: bytes. */
const MOST_EACH = 16 * 1024;

const hops: { close: () => void }[] = [];
afterEach(async () => {
  await Child.endAll();
  for (const hop of hops.splice(0)) hop.close();
});

async function stage(role: Role, limits: object, openFiles?: number) {
  const hop = await nextHop();
  hops.push(hop);
  const tier = await startTierProcess(role, hop.port, limits, openFiles);
  return { tier, clients: { port: tier.port, hop: hop.port } };
}

describe.each(ROLES)(`${CONNECTIONS} connections to the %s`, (role) => {
  test.each<readonly [string, Manner]>([
    ['is silent', 'silent'],
    ['says a byte a second', 'slow'],
    ['says half a head', 'half'],
  ])(
    'of which each %s: others are served, and when the time for a head is over all is as before',
    async (_what, manner) => {
      const { tier, clients } = await stage(role, { headerTimeout: '3s' });
      expect(await askMuch(clients)).toEqual([200]);
      const base = await measureAlone(tier);
      const raging = await storm(tier.port, manner, CONNECTIONS);
      expect(await askMuch(clients)).toEqual([200]);
      const beside = await measure(tier);
      expect((beside.memory - base.memory) / CONNECTIONS).toBeLessThan(MOST_EACH);
      expect(await raging.ended()).toEqual({ 408: CONNECTIONS });
      expect(await askMuch(clients)).toEqual([200]);
      const after = await measureAlone(tier, base.descriptors);
      expect(after).toMatchObject({ connections: 0, errors: [] });
      expect(after.descriptors).toBeLessThanOrEqual(base.descriptors);
    },
  );

  test('from one address, with a limit for each: the others are served, and that one is told why it is not', async () => {
    const { tier, clients } = await stage(role, { headerTimeout: '1m', connectionsPerClient: 1000 });
    const raging = await storm(tier.port, 'silent', CONNECTIONS);
    expect(await askMuch({ ...clients, from: '127.0.0.2' })).toEqual([200]);
    const { status, headers } = await askOnce(clients);
    expect({ status, why: headers['proxy-status'] }).toEqual({
      status: 503,
      why: expect.stringContaining('error=connection_limit_reached; details="limits.connectionsPerClient"'),
    });
    const surplus = CONNECTIONS - 1000 - 255;
    expect(await raging.endedUntil(surplus)).toEqual({ unheard: surplus });
    expect(await measure(tier)).toMatchObject({ connections: 1000, errors: [] });
    await raging.stop();
    await measureAlone(tier);
    expect((await askOnce(clients)).status).toBe(200);
  });

  test.each([
    ['a limit in all', { connections: 1000 }, undefined, 'limits.connections'],
    ['few open files', {}, 1397, 'open files'],
  ])(
    'with %s: who has a connection is served, and each of the others is told why he is not',
    async (_what, limits, openFiles, details) => {
      const { tier, clients } = await stage(role, { headerTimeout: '1m', ...limits }, openFiles);
      const early = new Agent({ keepAlive: true, maxSockets: 1 });
      const statusOfEarly = async () => (await ask(clients, early)).status;
      expect(await statusOfEarly()).toBe(200);
      const raging = await storm(tier.port, 'silent', CONNECTIONS);
      expect(await askMuch(clients)).toEqual([503]);
      expect((await askOnce(clients)).headers['proxy-status']).toContain(`details="${details}"`);
      expect(await statusOfEarly()).toBe(200);
      expect(await measure(tier)).toMatchObject({ connections: 1000, errors: [] });
      early.destroy();
      await raging.stop();
      await measureAlone(tier);
      expect(await askMuch(clients)).toEqual([200]);
    },
  );
});
