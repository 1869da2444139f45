import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { RawConnection, startOrigin } from '@chain407/testkit';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Service } from './command.ts';
import { chain407, service, temporaryFolder } from './command.ts';
import { demoPorts } from './demo-ports.ts';

const CHAIN = ['-c', 'configs/chain.yaml', '--set', 'upstream.listen=127.0.0.1:0'] as const;
const running: Service[] = [];

async function started(args: readonly string[], env: Record<string, string> = {}): Promise<Service> {
  const one = await service(args, { env });
  running.push(one);
  return one;
}

afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});

const portOf = (url = ''): number => Number(new URL(url).port);

/** Both tiers and an origin, on free ports. */
async function wholeChain(...more: readonly string[]): Promise<Service> {
  return started(['up', '--demo', '-c', 'configs/chain.yaml', ...(await demoPorts()), ...more]);
}

describe('chain407 up', () => {
  test('--ready-file says where both tiers listen, and who the process is', async () => {
    const { ready } = await wholeChain();
    expect(Object.keys(ready).sort()).toEqual(['downstream', 'pid', 'upstream']);
    expect(ready.downstream?.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  test('--demo makes one request through the chain and tells its legs, in order, without the password', async () => {
    const { ready, stop } = await wholeChain();
    // A signal that comes while the demonstration runs is kept until it has been shown.
    const { stdout } = await stop();
    const told = stdout.split('\n').flatMap((line) => /ms {2}(\S+ → \S+) +(\S+)/.exec(line)?.slice(1).join(' ') ?? []);
    expect(told).toEqual([
      'client → downstream GET',
      'downstream → upstream GET',
      'upstream → downstream 407',
      'downstream → upstream GET',
      'upstream → origin GET',
      'origin → upstream 200',
      'upstream → downstream 200',
      'downstream → client 200',
    ]);
    expect(stdout).toContain('[Basic username=alice password=[secret]]');
    expect(stdout).toContain(`curl -x ${ready.downstream?.url} http://origin.test/`);
    expect(stdout).not.toContain('wonderland');
  });

  test('SIGTERM lets what is under way finish, takes nothing new, removes the ready file and ends with 0', async () => {
    const chain = await wholeChain();
    const port = portOf(chain.ready.downstream?.url);
    const tunnel = await RawConnection.connect(port);
    await tunnel.exchange('CONNECT origin.test:80 HTTP/1.1\r\nHost: origin.test:80\r\n\r\n');
    chain.signal('SIGTERM');
    // The listener has gone once a new connection is refused; the tunnel still works.
    await refused(port);
    const inner = await tunnel.exchange('GET / HTTP/1.1\r\nHost: origin.test\r\nConnection: close\r\n\r\n');
    expect(inner.status).toBe(200);
    tunnel.destroy();
    expect((await chain.finished).status).toBe(0);
    expect(existsSync(chain.readyFile)).toBe(false);
  });

  // Whoever stopped it got what they asked for, in the time that they gave; systemd would take anything else for a crash.
  test('a drain that has to cut something says so, and still ends with 0', async () => {
    const chain = await wholeChain('--set', 'downstream.limits.drain=20ms');
    const tunnel = await RawConnection.connect(portOf(chain.ready.downstream?.url));
    await tunnel.exchange('CONNECT origin.test:80 HTTP/1.1\r\nHost: origin.test:80\r\n\r\n');
    chain.signal('SIGTERM');
    await tunnel.closed();
    const { status, stderr } = await chain.finished;
    expect(stderr).toContain('cut 1 connection that was not finished within limits.drain (20 ms)');
    expect(status).toBe(0);
    tunnel.destroy();
  });

  test('a second signal ends at once, tunnels or not', async () => {
    const chain = await wholeChain();
    const port = portOf(chain.ready.downstream?.url);
    const tunnel = await RawConnection.connect(port);
    await tunnel.exchange('CONNECT origin.test:80 HTTP/1.1\r\nHost: origin.test:80\r\n\r\n');
    chain.signal('SIGINT');
    await refused(port);
    chain.signal('SIGINT');
    await tunnel.closed();
    expect((await chain.finished).status).toBe(0);
    tunnel.destroy();
  });

  test.each([
    ['upstream', ['--set', 'downstream.listen=127.0.0.1:0'], 'upstream.listen'],
    ['downstream', ['--set', 'upstream.listen=127.0.0.1:0'], 'downstream.listen'],
  ])('says which address is taken and which flag changes it (%s)', async (name, other, flag) => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const { status, stderr } = await chain407([
      'up',
      '-c',
      'configs/chain.yaml',
      ...other,
      '--set',
      `${flag}=127.0.0.1:${port}`,
    ]);
    taken.close();
    expect(status).toBe(1);
    expect(stderr).toContain(
      `127.0.0.1:${port} is already in use; choose another with --set ${name}.listen=127.0.0.1:PORT`,
    );
  });

  test('a ready file that cannot be written is an error that names it, and nothing stays up', async () => {
    const file = join(temporaryFolder(), 'no', 'such', 'folder.json');
    const args = [...CHAIN, '--set', 'downstream.listen=127.0.0.1:0', '--ready-file', file];
    const { status, stderr } = await chain407(['up', ...args]);
    expect(status).toBe(1);
    expect(stderr).toContain(`cannot write the ready file ${file}`);
  });

  test('an IPv6 address needs no quotes of its own in --set', async () => {
    const args = [
      'up',
      '-c',
      'configs/chain.yaml',
      '--set',
      'upstream.listen=[::1]:0',
      '--set',
      'downstream.listen=[::1]:0',
    ];
    const { ready } = await started(args);
    expect(ready.upstream?.url).toMatch(/^http:\/\/\[::1\]:\d+$/);
  });

  test('a configuration that cannot be used exits with 2, with every problem', async () => {
    const { status, stderr } = await chain407([
      'up',
      ...CHAIN,
      '--set',
      'downstream.identity=nobody',
      '--set',
      'upstream.realm=5',
    ]);
    expect(status).toBe(2);
    expect(stderr).toContain('downstream.identity: expected one of');
    expect(stderr).toContain('upstream.realm: expected');
  });
});

describe('one tier alone', () => {
  test('chain407 upstream asks for credentials; chain407 downstream in front of it provides them', async () => {
    const origin = await startOrigin();
    const upstream = await started([
      ...['upstream', '-c', 'configs/chain.yaml', '--set', 'upstream.listen=127.0.0.1:0'],
      ...['--set', `upstream.hosts={ origin.test: '127.0.0.1:${origin.port}' }`],
    ]);
    expect(Object.keys(upstream.ready).sort()).toEqual(['pid', 'upstream']);
    const downstream = await started([
      ...['downstream', '-c', 'configs/chain.yaml', '--set', 'downstream.listen=127.0.0.1:0'],
      ...['--set', `downstream.upstreams.upstream.url=${upstream.ready.upstream?.url}`],
    ]);
    const request = 'GET http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\nConnection: close\r\n\r\n';
    const [asked, served] = [
      await rawStatus(upstream.ready.upstream?.url, request),
      await rawStatus(downstream.ready.downstream?.url, request),
    ];
    expect([asked, served]).toEqual([407, 200]);
    await origin.close();
  });

  test('a file without the section that the command needs exits with 2 and names it', async () => {
    const { status, stderr } = await chain407(['downstream', '-c', 'configs/upstream.yaml'], {
      env: { ALICE_PASSWORD: 'x' },
    });
    expect(status).toBe(2);
    expect(stderr).toContain('downstream: expected this section');
  });
});

async function rawStatus(url: string | undefined, request: string): Promise<number> {
  const connection = await RawConnection.connect(portOf(url));
  const { status } = await connection.exchange(request);
  connection.destroy();
  return status;
}

/** Resolves when nothing listens on the port any more; bounded by the test's own time. */
function refused(port: number): Promise<void> {
  return new Promise((resolve) => {
    const attempt = (): void => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => socket.destroy());
      socket.once('error', () => resolve());
      socket.once('close', (failed) => {
        if (!failed) setImmediate(attempt);
      });
    };
    attempt();
  });
}
