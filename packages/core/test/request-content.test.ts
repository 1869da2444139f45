import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { peekContent, StalledContent } from '@chain407/core';
import { afterEach, describe, expect, test } from '@jest/globals';

interface Seen {
  readonly peeked: string | undefined;
  readonly read: string;
  readonly trailers: readonly string[];
}

const servers: ReturnType<typeof createServer>[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function readAll(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** A server that peeks with this limit, and then reads the request as if it had not. */
async function peeking(limit: number): Promise<{ port: number; seen: Promise<Seen> }> {
  let tell: (seen: Seen) => void;
  const seen = new Promise<Seen>((resolve) => {
    tell = resolve;
  });
  const server = createServer(async (req, res) => {
    const peeked = await peekContent(req, limit, 10_000);
    const read = await readAll(req);
    tell({ peeked: peeked?.toString(), read, trailers: req.rawTrailers });
    res.end();
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, seen };
}

describe('the content of a request', () => {
  test.each([
    ['a short one', 'short'],
    ['one of many chunks', 'x'.repeat(300_000)],
    ['none at all', ''],
  ])('%s is read whole, and can be read once more', async (_what, text) => {
    const { port, seen } = await peeking(1024 * 1024);
    request({ port, method: 'POST', headers: { 'Content-Length': text.length } }).end(text);
    expect(await seen).toEqual({ peeked: text, read: text, trailers: [] });
  });

  test('in chunks that come one by one keeps its trailers', async () => {
    const { port, seen } = await peeking(1024);
    const req = request({ port, method: 'POST', headers: { 'Transfer-Encoding': 'chunked', Trailer: 'X-Sum' } });
    await new Promise((resolve) => req.write('one ', resolve));
    req.write('two');
    req.addTrailers([['X-Sum', '7']]);
    req.end();
    expect(await seen).toEqual({ peeked: 'one two', read: 'one two', trailers: ['X-Sum', '7'] });
  });

  test.each([
    ['within the limit to the byte', 8, '12345678'],
    ['one byte beyond it', 7, undefined],
  ])('%s', async (_what, limit, peeked) => {
    const { port, seen } = await peeking(limit);
    request({ port, method: 'POST' }).end('12345678');
    expect(await seen).toEqual({ peeked, read: '12345678', trailers: [] });
  });

  test('of a client that leaves in the middle is none', async () => {
    let tell: (peeked: Buffer | undefined) => void;
    const seen = new Promise<Buffer | undefined>((resolve) => {
      tell = resolve;
    });
    const server = createServer((req) => {
      peekContent(req, 1024, 10_000).then(tell);
      client.destroy();
    }).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = request({ port, method: 'POST', headers: { 'Content-Length': 10 } });
    client.on('error', () => undefined).write('12345');
    expect(await seen).toBeUndefined();
  });

  test('of a client that stops in the middle is not waited for without end', async () => {
    let tell: (error: unknown) => void;
    const failed = new Promise<unknown>((resolve) => {
      tell = resolve;
    });
    const server = createServer((req) => {
      peekContent(req, 1024, 20).catch(tell);
    }).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = request({ port, method: 'POST', headers: { 'Content-Length': 10 } });
    client.on('error', () => undefined).write('12345');
    expect(await failed).toBeInstanceOf(StalledContent);
    client.destroy();
  });
});
