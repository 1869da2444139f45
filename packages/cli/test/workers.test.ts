import { EventEmitter, once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RawConnection, scriptedUpstream } from '@chain407/testkit';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { Service } from './command.ts';
import { chain407, service, temporaryFolder } from './command.ts';

const folder = temporaryFolder();
const GET = 'GET http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\n\r\n';
const CLIENTS = 200;

/** An upstream that knows no password, or every one. */
const upstreamThat = (accepts: boolean) =>
  scriptedUpstream({ accept: (credentials) => (credentials !== undefined && accepts ? 'accept' : 'reject') });

async function downstream(port: number, more: object = {}): Promise<Service> {
  const file = join(folder, `workers-${port}.yaml`);
  const config = {
    log: { level: 'info' },
    downstream: {
      listen: '127.0.0.1:0',
      workers: 2,
      credentials: { corp: { username: 'alice', password: { value: 'wrong horse' }, schemes: ['basic'] } },
      upstreams: { corp: { url: `http://127.0.0.1:${port}`, credentials: 'corp' } },
      ...more,
    },
  };
  writeFileSync(file, JSON.stringify(config));
  return service(['downstream', '-c', file]);
}

const portOf = ({ ready }: Service): number => Number(new URL(ready.downstream?.url ?? '').port);

async function askAtOnce(port: number): Promise<number[]> {
  const connections = await Promise.all(
    Array.from({ length: CLIENTS }, () => RawConnection.connect(port, { deadline: 20_000 })),
  );
  const answers = await Promise.all(connections.map((connection) => connection.exchange(GET)));
  for (const connection of connections) connection.destroy();
  return answers.map(({ status }) => status);
}

/** What each worker has logged of exchanges. */
const workersIn = (log: string): Set<number> =>
  new Set([...log.matchAll(/"worker":(\d+),"exchange"/g)].map(([, worker]) => Number(worker)));

const pidsIn = (log: string): number[] =>
  [...log.matchAll(/"pid":(\d+),"msg":"worker \d listens"/g)].map(([, pid]) => Number(pid));

describe('a downstream of two workers', () => {
  const upstreams: Awaited<ReturnType<typeof scriptedUpstream>>[] = [];
  afterAll(() => Promise.all(upstreams.map((upstream) => upstream.close())));

  async function upstream(accepts: boolean) {
    const made = await upstreamThat(accepts);
    upstreams.push(made);
    return made;
  }

  test('shares one port, and each serves', async () => {
    const { port } = await upstream(true);
    const running = await downstream(port);
    expect(new Set(await askAtOnce(portOf(running)))).toEqual(new Set([200]));
    const { status, stderr } = await running.stop();
    expect(status).toBe(0);
    expect(workersIn(stderr)).toEqual(new Set([1, 2]));
  });

  test.each([1, 2])(
    `${CLIENTS} requests at once with a wrong password: %i attempts, also after a worker has died`,
    async (attempts) => {
      const corp = await upstream(false);
      const running = await downstream(corp.port, { lockout: { attempts } });
      const made = () => corp.requests.filter(({ credentials }) => credentials !== undefined).length;
      expect(new Set(await askAtOnce(portOf(running)))).toEqual(new Set([407]));
      expect(made()).toBe(attempts);

      const [first] = pidsIn(running.stderr());
      process.kill(first as number, 'SIGKILL');
      await running.logged(/worker \d listens/, 3);
      expect(new Set(await askAtOnce(portOf(running)))).toEqual(new Set([407]));
      expect(made()).toBe(attempts);
      const { status, stderr } = await running.stop();
      expect(status).toBe(0);
      expect(stderr).toMatch(/worker \d ended \(SIGKILL\); another takes its place/);
      expect(workersIn(stderr)).toEqual(new Set([1, 2]));
    },
  );

  test('drains: what is under way is finished, and all processes end', async () => {
    const events = new EventEmitter();
    const slow = await scriptedUpstream({
      accept: (credentials) => {
        if (credentials === undefined) return 'reject';
        events.emit('asked');
        return once(events, 'answer').then(() => 'accept');
      },
    });
    upstreams.push(slow);
    const running = await downstream(slow.port);
    const connection = await RawConnection.connect(portOf(running), { deadline: 20_000 });
    const asked = once(events, 'asked');
    connection.write(GET);
    const waiting = connection.readResponse();
    await asked;
    const stopped = running.stop();
    await running.logged(/finishing what is under way/);
    events.emit('answer');
    expect((await waiting).status).toBe(200);
    connection.destroy();
    expect((await stopped).status).toBe(0);
    for (const pid of pidsIn(running.stderr())) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  test('that cannot listen says so, and ends', async () => {
    const taken = await upstream(true);
    const { status, stderr } = await chain407([
      ...['downstream', '--set', `downstream.listen=127.0.0.1:${taken.port}`, '--set', 'downstream.workers=2'],
      ...['--set', 'downstream.identity=none', '--set', 'downstream.upstreams.corp.url=http://127.0.0.1:1'],
    ]);
    expect(status).toBe(1);
    expect(stderr).toContain('is already in use');
  });
});
