import { afterEach, describe, expect, test } from '@jest/globals';
import { RawConnection } from '../src/index.ts';
import { startHop } from './drain/hop.ts';
import { plainSection, ROLES, startTier } from './plain-tier.ts';

/** A client that ends its direction as soon as it has said all: whether it has gone, nobody can see before it is sent something. */
const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (let close = opened.pop(); close !== undefined; close = opened.pop()) await close();
});

describe.each(ROLES)('from the %s, a client that ends its direction', (role) => {
  const arrive = async (halfCloseTimeout = '1m') => {
    const hop = await startHop();
    opened.push(() => hop.close());
    const tier = await startTier(role, plainSection(role, hop.port, { halfCloseTimeout, drain: '1m' }));
    opened.push(() => tier.close());
    const client = await RawConnection.connect(tier.port);
    opened.push(() => client.destroy());
    const request = (method: string, more = '', port = hop.port): string =>
      `${method} http://127.0.0.1:${port}/ HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${more}\r\n`;
    return { hop, tier, client, request };
  };

  test.each([
    ['GET', ''],
    ['POST', 'Content-Length: 7\r\n'],
  ])('after its %s gets the answer, which is the last', async (method, more) => {
    const { hop, client, request } = await arrive();
    client.write(`${request(method, more)}${more === '' ? '' : 'content'}`).end();
    const { res } = await hop.asked();
    res.end('late');
    expect(await client.readResponse()).toMatchObject({
      status: 200,
      headers: expect.arrayContaining(['Connection', 'close']),
      body: Buffer.from('late'),
    });
    expect(await client.closed()).toBe('end');
  });

  test('after several requests gets all the answers', async () => {
    const { hop, client, request } = await arrive();
    client.write(request('GET') + request('GET')).end();
    for (const text of ['first', 'second']) {
      (await hop.asked()).res.end(text);
      expect((await client.readResponse()).body.toString()).toBe(text);
    }
    expect(await client.closed()).toBe('end');
  });

  test('after its CONNECT and what goes through it gets what comes back', async () => {
    const { hop, client } = await arrive();
    const authority = `127.0.0.1:${hop.echo}`;
    client.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\nthrough`).end();
    expect((await client.readResponse({ method: 'CONNECT' })).status).toBe(200);
    expect((await client.readBytes(7)).toString()).toBe('through');
    expect(await client.closed()).toBe('end');
  });

  test('after a CONNECT that is refused gets the refusal', async () => {
    const { client } = await arrive();
    client.write('CONNECT 127.0.0.1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n').end();
    expect((await client.readResponse()).status).toBe(400);
    expect(await client.closed()).toBe('end');
  });

  test('is taken for gone when nothing could be sent to it for a while, and so is its request', async () => {
    const { hop, tier, client, request } = await arrive('20ms');
    client.write(request('GET')).end();
    const { res } = await hop.asked();
    const cancelled = new Promise((resolve) => res.once('close', resolve));
    await client.closed();
    await cancelled;
    expect(tier.connections).toBe(0);
  });
});
