import { once } from 'node:events';
import { Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Pool } from '../src/hop/pool.ts';
import { UpstreamConnection } from '../src/hop/upstream-connection.ts';
import { connected, OPTIONS } from './raw-server.ts';
import { cleanUp, closeLater, eventually } from './support.ts';

afterEach(cleanUp);

function pooled(): Pool {
  const pool = new Pool();
  closeLater(() => pool.close());
  return pool;
}

/** A connection without a peer: enough to be kept. */
const unconnected = (): UpstreamConnection =>
  UpstreamConnection.over({ socket: new Socket(), head: Buffer.alloc(0) }, { ...OPTIONS, port: 1 });

describe('idle connections', () => {
  test('the one that has rested shortest comes first', () => {
    const pool = pooled();
    const [old, young] = [unconnected(), unconnected()];
    pool.put('a', old, 1000);
    pool.put('a', young, 1000);
    expect([pool.take('a'), pool.take('a'), pool.take('a')]).toEqual([young, old, undefined]);
  });

  test('serve nobody but their own key', () => {
    const pool = pooled();
    const connection = unconnected();
    pool.put('up1 own corp basic', connection, 1000);
    for (const key of ['up1 none', 'up1 relay basic Ym9iOmI=', 'up2 own corp basic', 'up1 own corp ntlm']) {
      expect(pool.take(key)).toBeUndefined();
    }
    expect(pool.take('up1 own corp basic')).toBe(connection);
  });

  test('a source is the pool as one key sees it', () => {
    const pool = pooled();
    const [a, b] = [pool.source('a', 1000), pool.source('b', 1000)];
    const connection = unconnected();
    a.put(connection);
    expect(b.take()).toBeUndefined();
    expect(a.take()).toBe(connection);
  });

  test('one that is of no more use is closed, not kept', () => {
    const pool = pooled();
    const connection = unconnected();
    connection.destroy();
    pool.put('a', connection, 1000);
    expect(pool.size).toBe(0);
  });

  test.each([
    ['ends', (peer: Socket) => peer.end()],
    ['resets', (peer: Socket) => peer.resetAndDestroy()],
    ['speaks unasked', (peer: Socket) => peer.write('HTTP/1.1 408 Request Timeout\r\n\r\n')],
  ])('one whose peer %s is forgotten', async (_what, act) => {
    const pool = pooled();
    const { connection, peer } = await connected();
    pool.put('a', connection, 60_000);
    act(peer);
    await eventually(() => pool.size === 0);
    expect(pool.take('a')).toBeUndefined();
  });

  test('one that nobody needs for its idle time is closed', async () => {
    const pool = pooled();
    const { connection, peer } = await connected();
    pool.put('a', connection, 1);
    await once(peer.resume(), 'end');
    await eventually(() => pool.size === 0);
  });

  test('beyond 1024 in all, the one that has rested longest is closed', async () => {
    const pool = pooled();
    const [first, second] = [unconnected(), unconnected()];
    pool.put('a', first, 0);
    pool.put('b', second, 0);
    for (let i = 0; i < 1023; i += 1) pool.put(`c${i % 3}`, unconnected(), 0);
    await eventually(() => pool.size === 1024);
    expect(pool.take('a')).toBeUndefined();
    expect(pool.take('b')).toBe(second);
  });

  test('close closes all of them', async () => {
    const pool = pooled();
    const { connection, peer } = await connected();
    pool.put('a', connection, 1000);
    pool.close();
    await once(peer.resume(), 'end');
    await eventually(() => pool.size === 0);
  });
});
