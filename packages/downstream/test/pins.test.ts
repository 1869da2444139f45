import { once } from 'node:events';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Pins } from '../src/hop/pins.ts';
import { connected } from './raw-server.ts';
import { cleanUp } from './support.ts';

afterEach(cleanUp);

describe("a client's own connections", () => {
  test('are had from the first time that it asks for its place', () => {
    const pins = new Pins(() => 0);
    const client = new Socket();
    expect(pins.has(client, 'up1')).toBe(false);
    expect(pins.source(client, 'up1', 5000).take()).toBeUndefined();
    expect(pins.has(client, 'up1')).toBe(true);
    expect(pins.has(client, 'up2')).toBe(false);
    expect(pins.has(new Socket(), 'up1')).toBe(false);
  });

  test('serve no other client and no other upstream', async () => {
    const pins = new Pins(() => 0);
    const [ours, other] = [new Socket(), new Socket()];
    const { connection } = await connected();
    pins.source(ours, 'up1', 5000).put(connection);
    expect(pins.source(other, 'up1', 5000).take()).toBeUndefined();
    expect(pins.source(ours, 'up2', 5000).take()).toBeUndefined();
    expect(pins.source(ours, 'up1', 5000).take()).toBe(connection);
    expect(pins.source(ours, 'up1', 5000).take()).toBeUndefined();
  });

  test('die with the client', async () => {
    const pins = new Pins(() => 0);
    const client = new Socket();
    const { connection, peer } = await connected();
    pins.source(client, 'up1', 5000).put(connection);
    client.destroy();
    await once(peer.resume(), 'end');
    expect(connection.reusable).toBe(false);
  });

  test('are closed where the client has gone before they came to rest', async () => {
    const pins = new Pins(() => 0);
    const client = new Socket();
    const { connection, peer } = await connected();
    const source = pins.source(client, 'up1', 5000);
    client.destroy();
    source.put(connection);
    await once(peer.resume(), 'end');
  });

  test('that have closed meanwhile are not given', async () => {
    const pins = new Pins(() => 0);
    const client = new Socket();
    const { connection, peer } = await connected();
    const source = pins.source(client, 'up1', 5000);
    source.put(connection);
    connection.destroy();
    await once(peer.resume(), 'end');
    expect(source.take()).toBeUndefined();
  });

  test('that the upstream closes take the client with them', async () => {
    const pins = new Pins(() => 0);
    const client = await connected();
    const { connection, peer } = await connected();
    pins.source(client.peer, 'up1', 5000).put(connection);
    peer.end();
    await once(client.peer, 'finish');
    expect(client.peer.writableEnded).toBe(true);
  });

  test('that the upstream closes while another one answers the client end only after that', async () => {
    const pins = new Pins(() => 0);
    const client = await connected();
    const { connection, peer } = await connected();
    const response = new ServerResponse(new IncomingMessage(client.peer));
    response.assignSocket(client.peer);
    pins.source(client.peer, 'up1', 5000).put(connection);
    const closed = once(peer.resume(), 'close');
    peer.end();
    await closed;
    expect(client.peer.writableEnded).toBe(false);
    response.end('the whole answer');
    await once(client.peer, 'finish');
    expect(response.writableFinished).toBe(true);
  });

  test('end after an hour, however busy they are', () => {
    let now = 0;
    const pins = new Pins(() => now);
    const client = new Socket();
    pins.source(client, 'up1', 5000);
    now = 3_599_999;
    expect(pins.expired(client, 'up1')).toBe(false);
    now = 3_600_000;
    expect(pins.expired(client, 'up1')).toBe(true);
    expect(pins.expired(new Socket(), 'up1')).toBe(false);
  });
});
