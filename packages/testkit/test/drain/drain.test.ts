import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { RawConnection } from '../../src/index.ts';
import type { Role } from '../plain-tier.ts';
import { plainSection, ROLES, startTier } from '../plain-tier.ts';
import { standstill } from '../standstill.ts';
import type { Asked } from './hop.ts';
import { startHop } from './hop.ts';

/** A tier that shuts down: what is under way is finished, what is new is refused, and the deadline ends the rest. */

/** More than what the system keeps for a client that takes nothing. */
const MANY = 1600;
const BODY = Buffer.alloc(8 * 1024);
const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (let close = opened.pop(); close !== undefined; close = opened.pop()) await close();
});

async function connected(port: number): Promise<RawConnection> {
  const client = await RawConnection.connect(port);
  opened.push(() => client.destroy());
  return client;
}

async function stage(role: Role, drain: string, headerTimeout = '15s') {
  const hop = await startHop();
  opened.push(() => hop.close());
  const tier = await startTier(role, plainSection(role, hop.port, { drain, headerTimeout }));
  const client = await connected(tier.port);
  const authority = `127.0.0.1:${hop.port}`;
  const request = (method: string, more = ''): string =>
    `${method} http://${authority}/ HTTP/1.1\r\nHost: ${authority}\r\n${more}\r\n`;
  const tunnel = `CONNECT 127.0.0.1:${hop.echo} HTTP/1.1\r\nHost: 127.0.0.1:${hop.echo}\r\n\r\n`;
  return { hop, tier, client, request, tunnel };
}
type Staged = Awaited<ReturnType<typeof stage>>;

/** Resolves when a server of this process has read a request for such a path. */
function parsed(path: string): Promise<void> {
  return new Promise((resolve) => {
    const onStart = (message: unknown): void => {
      const { request } = message as { request: IncomingMessage };
      if (request.url?.endsWith(path) !== true) return;
      unsubscribe('http.server.request.start', onStart);
      resolve();
    };
    subscribe('http.server.request.start', onStart);
  });
}

/** Of the responses that bytes are; throws where one is not whole. */
function statusesOf(bytes: Buffer): number[] {
  const statuses: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf('\r\n\r\n', at);
    const head = bytes.toString('latin1', at, end);
    const [, length] = /content-length: (\d+)/i.exec(head) ?? [];
    if (end < 0 || length === undefined) throw new Error(`not a whole head: ${head.slice(0, 200)}`);
    at = end + 4 + Number(length);
    if (at > bytes.length) throw new Error(`a body ends ${at - bytes.length} bytes early`);
    statuses.push(Number(head.slice(9, 12)));
  }
  return statuses;
}

/** Says that its connection ends with it (RFC 9112 §9.6). */
const isLast = { headers: expect.arrayContaining(['Connection', 'close']) };
const isDraining = { ...isLast, status: 503 };

async function openTunnel({ client, tunnel }: Staged): Promise<void> {
  expect((await client.exchange(tunnel)).status).toBe(200);
  expect((await client.write('before').readBytes(6)).toString()).toBe('before');
}

/** Each begins something, and returns what must come of it when the drain has begun. */
const UNDER_WAY: readonly [string, (stage: Staged) => Promise<() => Promise<unknown>>][] = [
  [
    'a request without an answer yet',
    async ({ hop, client, request }) => {
      client.write(request('GET'));
      const { res } = await hop.asked();
      return async () => {
        res.end('late');
        expect(await client.readResponse()).toMatchObject({ ...isLast, status: 200, body: Buffer.from('late') });
      };
    },
  ],
  [
    'half an answer',
    async ({ hop, client, request }) => {
      client.write(request('GET'));
      const { res } = await hop.asked();
      res.writeHead(200, { 'Content-Length': 8 }).write('half');
      await client.readUntil('half');
      return async () => {
        res.end('rest');
        await client.readUntil('rest');
      };
    },
  ],
  [
    'answers that are written, but not taken',
    async ({ hop, client, request }) => {
      client.socket.pause();
      client.write(request('GET').repeat(MANY));
      let answered = 0;
      const answer = ({ res }: Asked): void => {
        answered += 1;
        res.end(BODY);
        hop.asked().then(answer);
      };
      hop.asked().then(answer);
      await standstill(() => answered);
      expect(answered).toBeLessThan(MANY);
      return async () => {
        const pieces: Buffer[] = [];
        client.socket.on('data', (piece) => void pieces.push(piece)).resume();
        await once(client.socket, 'end');
        const whole = statusesOf(Buffer.concat(pieces));
        expect(whole.filter((status) => status === 200).length).toBeGreaterThanOrEqual(answered);
        expect(whole.filter((status) => status !== 200)).toEqual([]);
      };
    },
  ],
  [
    'half an upload',
    async ({ hop, client, request }) => {
      client.write(`${request('POST', 'Content-Length: 8\r\n')}half`);
      const { req, res } = await hop.asked();
      return async () => {
        client.write('rest');
        let text = '';
        for await (const bytes of req) text += bytes;
        res.end(text);
        expect(await client.readResponse()).toMatchObject({ ...isLast, body: Buffer.from('halfrest') });
      };
    },
  ],
  [
    'two requests in a row',
    async ({ hop, client, request }) => {
      client.write(request('GET') + request('GET'));
      const first = await hop.asked();
      return async () => {
        first.res.end('first');
        const answer = await client.readResponse();
        expect(answer.body.toString()).toBe('first');
        expect(answer).not.toMatchObject(isLast);
        (await hop.asked()).res.end('second');
        expect(await client.readResponse()).toMatchObject({ ...isLast, body: Buffer.from('second') });
      };
    },
  ],
  [
    'one request, and says that nothing behind it is taken',
    async ({ hop, client, request }) => {
      client.write(request('GET'));
      const { res } = await hop.asked();
      return async () => {
        const taken = parsed('/behind');
        client.write(request('GET').replace('/ ', '/behind '));
        await taken;
        res.end('taken');
        expect(await client.readResponse()).toMatchObject({ ...isLast, body: Buffer.from('taken') });
      };
    },
  ],
  [
    'a tunnel',
    async (staged) => {
      await openTunnel(staged);
      return async () => {
        expect((await staged.client.write('after').readBytes(5)).toString()).toBe('after');
        staged.client.end();
      };
    },
  ],
];

/** The same for what is new. */
const NEW: readonly [string, (stage: Staged) => Promise<() => Promise<unknown>>][] = [
  [
    'a request on a connection that had none',
    async ({ client, request }) =>
      async () =>
        expect(await client.exchange(request('GET'))).toMatchObject(isDraining),
  ],
  [
    'a CONNECT on a connection that had none',
    async ({ client, tunnel }) =>
      async () =>
        expect(await client.exchange(tunnel)).toMatchObject(isDraining),
  ],
  [
    'a request of which half the head was there',
    async ({ client, request }) => {
      const text = request('GET');
      client.write(text.slice(0, 20));
      return async () => expect(await client.exchange(text.slice(20))).toMatchObject(isDraining);
    },
  ],
  [
    'a request behind one whose answer has begun',
    async ({ hop, client, request }) => {
      client.write(request('GET'));
      const { res } = await hop.asked();
      res.writeHead(200, { 'Content-Length': 8 }).write('half');
      await client.readUntil('half');
      return async () => {
        const taken = parsed('/behind');
        client.write(request('GET').replace('/ ', '/behind '));
        await taken;
        res.end('rest');
        await client.readUntil('rest');
        expect(await client.readResponse()).toMatchObject(isDraining);
      };
    },
  ],
];

describe.each(ROLES)('the %s, when it shuts down,', (role) => {
  const drained = async (begin: (stage: Staged) => Promise<() => Promise<unknown>>): Promise<void> => {
    const staged = await stage(role, '1m');
    const goOn = await begin(staged);
    const closed = staged.tier.close();
    await goOn();
    expect(await staged.client.closed()).toBe('end');
    staged.client.end();
    await closed;
    expect(staged.tier.lines).toEqual([]);
  };

  test.each(UNDER_WAY)('finishes %s, and ends before its time', (_what, begin) => drained(begin));
  test.each(NEW)('answers %s with 503, and closes', (_what, begin) => drained(begin));

  // The upstream's own dialling is a matter of one turn on loopback: only the downstream can be held there.
  if (role === 'downstream')
    test('finishes a tunnel that is being set up, and ends before its time', () =>
      drained(async ({ hop, client, tunnel }) => {
        const held = hop.heldTunnel();
        client.write(tunnel);
        const grant = await held;
        return async () => {
          grant();
          expect((await client.readResponse({ method: 'CONNECT' })).status).toBe(200);
          expect((await client.write('through').readBytes(7)).toString()).toBe('through');
          client.end();
        };
      }));

  test('closes a connection that waits for a request, and takes no new one', async () => {
    const { hop, tier, client, request } = await stage(role, '1m');
    const answered = client.exchange(request('GET'));
    (await hop.asked()).res.end('taken');
    await answered;
    const closed = tier.close();
    expect(await client.closed()).toBe('end');
    await expect(RawConnection.connect(tier.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await closed;
  });

  test.each([
    ['nothing', ''],
    ['half a head', 'GET http://origin.t'],
  ])('waits for a client that has said %s no longer than a head may take', async (_what, said) => {
    const { hop, tier, client, request } = await stage(role, '1m', '100ms');
    if (said !== '') client.write(said);
    const finishing = await connected(tier.port);
    finishing.write(request('GET'));
    const { res } = await hop.asked();
    const closed = tier.close();
    expect(await client.closed()).toBe('end');
    res.end('finished');
    expect((await finishing.readResponse()).body.toString()).toBe('finished');
    await closed;
    expect(tier.lines).toEqual([]);
  });

  test('cuts what is not finished at the deadline, a tunnel too, and says so', async () => {
    const staged = await stage(role, '20ms');
    const waiting = await connected(staged.tier.port);
    waiting.write(staged.request('GET'));
    await staged.hop.asked();
    await openTunnel(staged);
    await staged.tier.close();
    await Promise.all([waiting.closed(), staged.client.closed()]);
    expect(staged.tier.lines.map((line) => JSON.parse(line).msg)).toEqual([
      'cut 2 connections that were not finished within limits.drain (20 ms)',
    ]);
  });
});
