import { setImmediate } from 'node:timers/promises';
import { RawConnection, startOrigin } from '@chain407/testkit';
import { afterEach, describe, expect, test } from '@jest/globals';
import { OK, rawOrigin } from './raw-origin.ts';
import { ALICE, AS_ALICE, basic, cleanUp, closeLater, hanging, runUpstream } from './running-upstream.ts';

afterEach(cleanUp);

const connectTo = (authority: string, fields = ''): string =>
  `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${fields}\r\n`;

async function client(port: number): Promise<RawConnection> {
  const connection = await RawConnection.connect(port);
  closeLater(() => connection.destroy());
  return connection;
}

/** Connections of this process that are being opened. */
const dials = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'ConnectWrap').length;

const echo = (): ReturnType<typeof rawOrigin> =>
  rawOrigin((socket, text) => {
    if (text.endsWith('\n')) socket.write(text.slice(text.lastIndexOf('\n', text.length - 2) + 1), 'latin1');
  });

describe('CONNECT', () => {
  test('makes a tunnel that says who made it and changes no byte', async () => {
    const origin = await echo();
    const { port, pseudonym } = await runUpstream();
    const connection = await client(port);
    connection.write(connectTo(origin.authority));
    expect(await connection.readUntil('\r\n\r\n')).toBe(
      `HTTP/1.1 200 Connection Established\r\nVia: 1.1 ${pseudonym}\r\n\r\n`,
    );
    const bytes = Buffer.from([...Array(256).keys()].filter((byte) => byte !== 10).concat(10));
    connection.write(bytes);
    expect(await connection.readBytes(bytes.length)).toEqual(bytes);
    expect(origin.received).toBe(bytes.toString('latin1'));
  });

  test('keeps what the client sends before the answer, with the head and after it', async () => {
    const origin = await echo();
    const { port } = await runUpstream();
    const connection = await client(port);
    connection.write(`${connectTo(origin.authority)}early `);
    connection.write('bird\n');
    await connection.readUntil('\r\n\r\n');
    expect(await connection.readUntil('\n')).toBe('early bird\n');
    expect(origin.received).toBe('early bird\n');
  });

  test('keeps what the origin says first', async () => {
    const origin = await rawOrigin(
      () => undefined,
      (socket) => socket.write('220 ready\r\n'),
    );
    const { port } = await runUpstream();
    const connection = await client(port);
    connection.write(connectTo(origin.authority));
    expect(await connection.readUntil('ready\r\n')).toMatch(/\r\n\r\n220 ready\r\n$/);
  });

  test('carries what the origin sends after the client has ended its side', async () => {
    const origin = await rawOrigin(
      () => undefined,
      (socket) => socket.once('end', () => socket.end('after the end')),
      true,
    );
    const { port } = await runUpstream();
    const connection = await client(port);
    connection.write(connectTo(origin.authority));
    await connection.readUntil('\r\n\r\n');
    connection.end();
    expect((await connection.readRest()).toString()).toMatch(/after the end$/);
    await origin.deserted();
  });

  test('carries what the client sends after the origin has ended its side', async () => {
    const origin = await rawOrigin(
      () => undefined,
      (socket) => socket.end('bye'),
      true,
    );
    const { port } = await runUpstream();
    const connection = await client(port);
    connection.write(connectTo(origin.authority));
    await connection.readUntil('bye');
    await connection.closed();
    connection.write('still here').end();
    await origin.receives('still here');
    await origin.deserted();
  });

  test.each([
    ['the client leaves', 'end'],
    ['the client breaks off', 'reset'],
    ['the origin leaves', 'origin-end'],
    ['the origin breaks off', 'origin-reset'],
  ])('frees both sides when %s', async (_what, how) => {
    const origin = await echo();
    const upstream = await runUpstream();
    const connection = await client(upstream.port);
    connection.write(`${connectTo(origin.authority)}hello\n`);
    await connection.readUntil('hello\n');
    const [socket] = origin.sockets;
    if (how === 'end') connection.destroy();
    if (how === 'reset') connection.socket.resetAndDestroy();
    if (how === 'origin-end') socket?.destroy();
    if (how === 'origin-reset') socket?.resetAndDestroy();
    await origin.deserted();
    if (how.startsWith('origin')) await connection.end().closed();
    while (upstream.connections > 0) await setImmediate();
  });

  test('frees the dial when the client leaves before there is a connection', async () => {
    const silent = await hanging();
    const upstream = await runUpstream();
    const connection = await client(upstream.port);
    connection.write(connectTo(`127.0.0.1:${silent}`));
    while (dials() === 0) await setImmediate();
    connection.destroy();
    while (dials() > 0 || upstream.connections > 0) await setImmediate();
  });

  test('ends a tunnel in which nothing happens', async () => {
    const origin = await echo();
    const { port } = await runUpstream({ limits: { tunnelIdleTimeout: '50ms' } });
    const connection = await client(port);
    connection.write(connectTo(origin.authority));
    await connection.readUntil('\r\n\r\n');
    await connection.closed();
    await origin.deserted();
  });
});

describe('a CONNECT that fails', () => {
  test.each([
    ['refused', 502, 'connection_refused', async () => '127.0.0.1:1'],
    ['not accepted', 504, 'connection_timeout', async () => `127.0.0.1:${await hanging()}`],
    ['of an unknown name', 502, 'dns_error', async () => 'unknown.invalid:443'],
  ])('(%s) is answered %d with a page that is whole, and the connection goes on', async (_how, status, error, to) => {
    const origin = await echo();
    const { port } = await runUpstream({ limits: { connectTimeout: '200ms' } });
    const connection = await client(port);
    const authority = await to();
    const answer = await connection.exchange(connectTo(authority));
    expect(answer.status).toBe(status);
    expect(answer.headers.join('\n')).toContain(`error=${error}; next-hop="${authority}"`);
    expect(answer.body.toString()).toMatch(/This page was made by chain407-upstream\.\n$/);
    expect((await connection.exchange(connectTo(origin.authority))).status).toBe(200);
    connection.write('hello\n');
    await connection.readUntil('hello\n');
  });

  test('with a 407 leaves the connection to the next try, and to every kind of request', async () => {
    const origin = await startOrigin();
    closeLater(() => origin.close());
    const authority = `127.0.0.1:${origin.port}`;
    const { port } = await runUpstream({ users: [ALICE] });
    const connection = await client(port);
    const plain = (fields: string): string =>
      `GET http://${authority}/ HTTP/1.1\r\nHost: ${authority}\r\n${fields}\r\n`;
    const wrong = `Proxy-Authorization: ${basic('alice:wrong')}\r\n`;
    const statuses = [];
    for (const request of [
      connectTo(authority),
      plain(''),
      connectTo(authority, wrong),
      plain(AS_ALICE),
      connectTo(authority, AS_ALICE),
    ]) {
      statuses.push((await connection.exchange(request)).status);
    }
    expect(statuses).toEqual([407, 407, 407, 200, 200]);
    expect((await connection.exchange(`GET / HTTP/1.1\r\nHost: ${authority}\r\n\r\n`)).status).toBe(200);
  });

  test('has its page read whole before the request that came with it is answered', async () => {
    const origin = await rawOrigin();
    const { port } = await runUpstream({ users: [ALICE] });
    const connection = await client(port);
    const plain = `GET http://${origin.authority}/after HTTP/1.1\r\nHost: ${origin.authority}\r\n${AS_ALICE}\r\n`;
    connection.write(connectTo(origin.authority) + plain + connectTo(origin.authority, AS_ALICE));
    expect((await connection.readResponse({ method: 'CONNECT' })).status).toBe(407);
    expect((await connection.readResponse()).body.toString()).toBe('ok');
    expect((await connection.readResponse({ method: 'CONNECT' })).status).toBe(200);
  });

  test('and one that came behind a plain request waits for its turn', async () => {
    const origin = await rawOrigin((socket, text) => {
      if (text.endsWith('\r\n\r\n')) socket.write(OK);
    });
    const { port } = await runUpstream();
    const connection = await client(port);
    connection.write(
      `GET http://${origin.authority}/ HTTP/1.1\r\nHost: ${origin.authority}\r\n\r\n${connectTo(origin.authority)}`,
    );
    expect((await connection.readResponse()).body.toString()).toBe('ok');
    expect((await connection.readResponse({ method: 'CONNECT' })).status).toBe(200);
  });

  test('closes the connection where the client asked for that', async () => {
    const { port } = await runUpstream({ users: [ALICE] });
    const connection = await client(port);
    connection.write(connectTo('a.test:443', 'Connection: close\r\n'));
    expect((await connection.readResponse({ method: 'CONNECT' })).status).toBe(407);
    await connection.closed();
  });
});
