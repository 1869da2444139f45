import { setImmediate } from 'node:timers/promises';
import { RawConnection, startOrigin } from '@chain407/testkit';
import { afterEach, describe, expect, test } from '@jest/globals';
import { answering, OK, rawOrigin } from './raw-origin.ts';
import { ALICE, AS_ALICE, cleanUp, closeLater, runUpstream } from './running-upstream.ts';

afterEach(cleanUp);

const upgradeTo = (authority: string, path = '/chat', fields = ''): string =>
  `GET http://${authority}${path} HTTP/1.1\r\nHost: ${authority}\r\nConnection: Upgrade, X-Mine\r\nUpgrade: echo\r\nX-Mine: 1\r\n${fields}\r\n`;

const SWITCH = 'HTTP/1.1 101 Off we go\r\nConnection: Upgrade\r\nUpgrade: echo\r\nX-Kept: 1\r\nX-Kept: 2\r\n\r\n';

async function client(port: number): Promise<RawConnection> {
  const connection = await RawConnection.connect(port);
  closeLater(() => connection.destroy());
  return connection;
}

describe('an Upgrade', () => {
  test('is offered anew to the origin, and its 101 makes a tunnel', async () => {
    const origin = await rawOrigin(answering(SWITCH));
    const { port, pseudonym } = await runUpstream();
    const connection = await client(port);
    connection.write(upgradeTo(origin.authority, '//chat/../?x', 'X-Many: a\r\nx-many: b\r\n'));
    expect(await connection.readUntil('\r\n\r\n')).toBe(
      `HTTP/1.1 101 Off we go\r\nX-Kept: 1\r\nX-Kept: 2\r\nVia: 1.1 ${pseudonym}\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n`,
    );
    expect(origin.received).toBe(
      `GET //chat/../?x HTTP/1.1\r\nHost: ${origin.authority}\r\nX-Many: a\r\nx-many: b\r\nVia: 1.1 ${pseudonym}\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n`,
    );
    connection.write('over');
    await origin.receives('\r\n\r\nover');
  });

  test('keeps the bytes that came with it and with the 101', async () => {
    const origin = await rawOrigin((socket, text) => {
      if (text.endsWith('\r\n\r\n')) socket.write(`${SWITCH}first`);
    });
    const { port } = await runUpstream();
    const connection = await client(port);
    connection.write(`${upgradeTo(origin.authority)}early`);
    await connection.readUntil('first');
    await origin.receives('\r\n\r\nearly');
  });

  test.each([200, 426, 404])(
    'that is answered %d is an ordinary exchange, and the connection goes on',
    async (status) => {
      const origin = await rawOrigin(answering(`HTTP/1.1 ${status} x\r\nContent-Length: 4\r\n\r\nbody`));
      const { port } = await runUpstream();
      const connection = await client(port);
      for (let i = 0; i < 2; i += 1) {
        const answer = await connection.exchange(upgradeTo(origin.authority));
        expect([answer.status, answer.body.toString()]).toEqual([status, 'body']);
      }
      expect(
        (await connection.exchange(`GET http://${origin.authority}/ HTTP/1.1\r\nHost: ${origin.authority}\r\n\r\n`))
          .status,
      ).toBe(status);
    },
  );

  test('is refused with a 407 and tried again on the same connection', async () => {
    const origin = await startOrigin();
    closeLater(() => origin.close());
    const authority = `127.0.0.1:${origin.port}`;
    const { port } = await runUpstream({ users: [ALICE] });
    const connection = await client(port);
    expect((await connection.exchange(upgradeTo(authority))).status).toBe(407);
    expect((await connection.exchange(upgradeTo(authority, '/', AS_ALICE))).status).toBe(101);
    connection.write('ping');
    expect((await connection.readBytes(4)).toString()).toBe('ping');
    expect(JSON.stringify(origin.requests[0])).not.toMatch(/proxy-authorization|x-mine/i);
  });

  test.each([
    ['is down', 'connection_refused', 502, () => undefined],
    ['does not answer', 'http_response_timeout', 504, () => undefined],
    ['breaks off', 'connection_terminated', 502, answering('')],
  ])('to an origin that %s is explained, and the connection goes on', async (what, error, status) => {
    const origin = await rawOrigin((socket) => {
      if (what === 'breaks off') socket.resetAndDestroy();
    });
    const authority = what === 'is down' ? '127.0.0.1:1' : origin.authority;
    const { port } = await runUpstream({ limits: { responseTimeout: '50ms' } });
    const connection = await client(port);
    for (let i = 0; i < 2; i += 1) {
      const answer = await connection.exchange(upgradeTo(authority));
      expect(answer.status).toBe(status);
      expect(answer.headers.join('\n')).toContain(`error=${error}; next-hop="${authority}"`);
    }
  });

  test('of which the origin makes a 407 becomes 502', async () => {
    const origin = await rawOrigin(
      answering('HTTP/1.1 407 x\r\nProxy-Authenticate: Basic realm="evil"\r\nContent-Length: 0\r\n\r\n'),
    );
    const { port } = await runUpstream();
    const answer = await (await client(port)).exchange(upgradeTo(origin.authority));
    expect(answer.status).toBe(502);
    expect(answer.headers.join('\n')).not.toContain('evil');
  });

  test('is not cut by the time limit for answers once it is a tunnel', async () => {
    const origin = await rawOrigin(answering(SWITCH));
    const { port } = await runUpstream({ limits: { responseTimeout: '20ms', tunnelIdleTimeout: '200ms' } });
    const connection = await client(port);
    connection.write(upgradeTo(origin.authority));
    await connection.readUntil('\r\n\r\n');
    const other = await client(port);
    // Two answers that take 20 ms each are longer than one.
    for (let i = 0; i < 2; i += 1) {
      const hang = await rawOrigin(() => undefined);
      await other.exchange(`GET http://${hang.authority}/ HTTP/1.1\r\nHost: ${hang.authority}\r\n\r\n`);
    }
    connection.write('late');
    await origin.receives('late');
  });

  test.each(['waiting', 'switched'])('frees the origin when the client leaves while %s', async (when) => {
    const origin = await rawOrigin(when === 'waiting' ? () => undefined : answering(SWITCH));
    const upstream = await runUpstream();
    const connection = await client(upstream.port);
    connection.write(upgradeTo(origin.authority));
    await origin.receives('\r\n\r\n');
    if (when === 'switched') await connection.readUntil('\r\n\r\n');
    connection.destroy();
    await origin.deserted();
    while (upstream.connections > 0) await setImmediate();
  });

  test('whose origin leaves lets the client go', async () => {
    const origin = await rawOrigin(answering(SWITCH));
    const { port } = await runUpstream();
    const connection = await client(port);
    connection.write(upgradeTo(origin.authority));
    await connection.readUntil('\r\n\r\n');
    for (const socket of origin.sockets) socket.end('bye');
    expect((await connection.end().readRest()).toString()).toBe('bye');
  });

  test('that is only an offer beside a body is an ordinary request', async () => {
    const origin = await rawOrigin((socket, text) => {
      if (text.endsWith('hello')) socket.write(OK);
    });
    const { port } = await runUpstream();
    const request = upgradeTo(origin.authority, '/', 'Content-Length: 5\r\n').replace('GET', 'POST');
    const connection = await client(port);
    connection.write(`${request}hello`);
    expect((await connection.readResponse()).status).toBe(200);
    expect(origin.received).not.toMatch(/^upgrade:/im);
  });
});
