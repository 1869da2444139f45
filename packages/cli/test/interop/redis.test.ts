import { randomBytes } from 'node:crypto';
import { digestClient, formatMessage, parseChallenges, Secret } from '@chain407/auth';
import { valuesOf } from '@chain407/core';
import { RawConnection, scriptedUpstream } from '@chain407/testkit';
import { expect, test } from '@jest/globals';
import { startChain407 } from './chain.ts';
import { describeWith } from './peers.ts';
import { startRedis } from './redis.ts';

const GET = 'GET http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\n';
const KEY = 'a key that both replicas have';

async function ask(port: number, credentials?: string) {
  const connection = await RawConnection.connect(port, { deadline: 20_000 });
  const line = credentials === undefined ? '' : `Proxy-Authorization: ${credentials}\r\n`;
  const { status, headers } = await connection.exchange(`${GET}${line}\r\n`);
  connection.destroy();
  return { status, challenges: parseChallenges(valuesOf(headers, 'proxy-authenticate')).challenges };
}

describeWith(['redis-server'], 'replicas that share their state in Redis', () => {
  const replicaOf = (port: number, url: string, workers = 1) =>
    startChain407('downstream', {
      state: { url },
      downstream: {
        listen: '127.0.0.1:0',
        workers,
        credentials: { corp: { username: 'alice', password: { value: 'wrong horse' }, schemes: ['basic'] } },
        upstreams: { corp: { url: `http://127.0.0.1:${port}`, credentials: 'corp' } },
      },
    });

  test.each([1, 2])('make one attempt with a wrong password in all, of %i processes each', async (workers) => {
    const redis = await startRedis();
    const upstream = await scriptedUpstream({ accept: () => 'reject' });
    const replicas = await Promise.all([0, 1, 2].map(() => replicaOf(upstream.port, redis.url, workers)));
    const asked = replicas.flatMap(({ port }) => Array.from({ length: 20 }, () => ask(port)));
    expect(new Set((await Promise.all(asked)).map(({ status }) => status))).toEqual(new Set([407]));
    expect(upstream.requests.filter(({ credentials }) => credentials !== undefined)).toHaveLength(1);
    const outputs = await Promise.all(replicas.map((replica) => replica.stop()));
    expect(outputs.map(({ status }) => status)).toEqual([0, 0, 0]);
    expect(await redis.keys()).not.toContain('horse');
    await upstream.close();
    await redis.stop();
  });

  test('each go by themselves while Redis cannot be reached, and say so once', async () => {
    const redis = await startRedis();
    const upstream = await scriptedUpstream({ accept: () => 'reject' });
    await redis.stop();
    const replica = await replicaOf(upstream.port, redis.url);
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(replica.port)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([407]));
    expect(upstream.requests.filter(({ credentials }) => credentials !== undefined)).toHaveLength(1);
    const { output } = await replica.stop();
    expect(output.match(/cannot be reached/g)).toHaveLength(1);
    await upstream.close();
  });

  test('take a count of Digest once, whichever of them it comes to', async () => {
    const redis = await startRedis();
    const upstream = () =>
      startChain407('upstream', {
        state: { url: redis.url },
        upstream: {
          listen: '127.0.0.1:0',
          auth: { schemes: ['digest'], digest: { key: { value: KEY } } },
          users: [{ name: 'alice', password: { value: 'sesame' } }],
          access: [{ deny: {} }],
        },
      });
    const [first, second] = await Promise.all([upstream(), upstream()]);
    const client = digestClient({ username: 'alice', password: new Secret('sesame') }, {}, { entropy: randomBytes });
    const { challenges } = await ask(first.port);
    const request = { method: 'GET', target: 'http://origin.test/', peerHost: 'proxy' };
    const turn = await client.answer(challenges, request, undefined);
    if (turn.kind !== 'send') throw new Error('expected an answer to the challenge');
    const credentials = formatMessage(turn.credentials);
    // Recognised, and denied: the count is used.
    expect((await ask(second.port, credentials)).status).toBe(403);
    const replayed = await ask(first.port, credentials);
    expect(replayed.status).toBe(407);
    expect(replayed.challenges.map(({ params }) => params.get('stale'))).toEqual(['true', 'true']);
    await Promise.all([first.stop(), second.stop()]);
    await redis.stop();
  });
});
