import { EventEmitter, once } from 'node:events';
import type {
  ExchangePoint,
  Faults,
  RawResponse,
  ScriptedRequest,
  ScriptedUpstream,
  ScriptedUpstreamOptions,
} from '@chain407/testkit';
import { RawConnection, scriptedUpstream, startOrigin } from '@chain407/testkit';
import { afterEach, describe, expect, test } from '@jest/globals';

let upstream: ScriptedUpstream | undefined;
let client: RawConnection | undefined;

afterEach(async () => {
  client?.destroy();
  await upstream?.close();
});

async function start(options: ScriptedUpstreamOptions = {}): Promise<[ScriptedUpstream, RawConnection]> {
  upstream = await scriptedUpstream(options);
  client = await RawConnection.connect(upstream.port);
  return [upstream, client];
}

const GET = 'GET http://x/a HTTP/1.1\r\nHost: x\r\n\r\n';
const GOOD = 'GET http://x/a HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Basic Og==\r\n\r\n';
const POST = 'POST http://x/ HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n';
const anyone: ScriptedUpstreamOptions = { accept: () => 'accept' };

describe('without faults', () => {
  test('asks who comes without credentials, on a connection that stays, and answers who brings some', async () => {
    const [{ requests }, raw] = await start({ advertise: ['NTLM, Basic realm="a"', 'Digest realm="b"'] });
    const refused = await raw.write(GET).readResponse();
    expect(refused).toMatchObject({ version: '1.1', status: 407, persistent: true, framing: { kind: 'length' } });
    expect(refused.headers.slice(0, 4)).toEqual([
      ...['Proxy-Authenticate', 'NTLM, Basic realm="a"'],
      ...['Proxy-Authenticate', 'Digest realm="b"'],
    ]);
    const accepted = await raw.write(GOOD).readResponse();
    expect(JSON.parse(accepted.body.toString())).toMatchObject({ method: 'GET', target: 'http://x/a', turn: 2 });
    expect(requests.map(({ connection, turn, credentials }) => [connection, turn, credentials])).toEqual([
      ['s1', 1, undefined],
      ['s1', 2, 'Basic Og=='],
    ]);
  });

  test('records a body whole, and answers Expect with 100', async () => {
    const [{ requests }, raw] = await start(anyone);
    raw.write(POST.replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n'));
    await raw.readUntil('100 Continue\r\n\r\n');
    expect((await raw.write('abcdef').readResponse()).status).toBe(200);
    expect(requests[0]).toMatchObject({ body: Buffer.from('abcdef'), complete: true });
  });

  test('takes pipelined requests in turn', async () => {
    const [, raw] = await start(anyone);
    raw.write(GET.replace('/a', '/1') + GET.replace('/a', '/2'));
    for (const path of ['/1', '/2']) expect((await raw.readResponse()).body.toString()).toContain(`http://x${path}`);
  });

  test('answers HEAD without a body', async () => {
    const [, raw] = await start();
    expect((await raw.write(GET.replace('GET', 'HEAD')).readResponse({ method: 'HEAD' })).status).toBe(407);
    expect((await raw.write(GOOD).readResponse()).status).toBe(200);
  });

  test('a script can challenge anew, or refuse with any status', async () => {
    const [, raw] = await start({
      accept: (_credentials, { turn }) =>
        turn === 1 ? { challenges: ['NTLM TlRMTVNTUAAC'] } : { status: 403, headers: [['X-A', '1']], body: 'no' },
    });
    expect((await raw.write(GET).readResponse()).headers).toContain('NTLM TlRMTVNTUAAC');
    const denied = await raw.write(GET).readResponse();
    expect([denied.status, denied.body.toString(), denied.headers[1]]).toEqual([403, 'no', '1']);
  });

  test('what cannot be read gets 400', async () => {
    const [{ requests }, raw] = await start();
    raw.write('GET x\r\n\r\n');
    expect((await raw.readRest()).toString()).toMatch(/^HTTP\/1\.1 400 /);
    expect(requests).toEqual([]);
  });
});

describe('tunnels', () => {
  const CONNECT = (port = 1): string => `CONNECT x.test:${port} HTTP/1.1\r\nHost: x.test:${port}\r\n\r\n`;
  const UPGRADE = GET.replace('\r\n\r\n', '\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');

  test.each([
    ['CONNECT', CONNECT(), 200],
    ['Upgrade', UPGRADE, 101],
  ])('an accepted %s leads to an echo, and no byte that came early is lost', async (_kind, request, status) => {
    const [, raw] = await start({ ...anyone, faults: { greeting: 'hello ' } });
    raw.write(`${request}early `);
    expect((await raw.readResponse({ method: request.split(' ')[0] ?? '', upgrade: true })).status).toBe(status);
    raw.write('late').end();
    expect((await raw.readRest()).toString()).toBe('hello early late');
  });

  test('a client that ends its direction at once gets its bytes back', async () => {
    const [, raw] = await start(anyone);
    raw.write(`${CONNECT()}all`).end();
    await raw.readResponse({ method: 'CONNECT' });
    expect((await raw.readRest()).toString()).toBe('all');
  });

  test('a refused CONNECT leaves the connection usable', async () => {
    const [, raw] = await start();
    expect((await raw.write(CONNECT()).readResponse({ method: 'CONNECT' })).status).toBe(407);
    expect((await raw.write(GOOD).readResponse()).status).toBe(200);
  });

  test('CONNECT reaches the port it names on loopback, where that is wanted', async () => {
    const origin = await startOrigin();
    const [, raw] = await start({ ...anyone, tunnel: 'target' });
    await raw.write(CONNECT(origin.port)).readResponse({ method: 'CONNECT' });
    raw.write('GET /through HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(JSON.parse((await raw.readResponse()).body.toString())).toMatchObject({ target: '/through' });
    const { port } = origin;
    await origin.close();
    const second = await RawConnection.connect(upstream?.port ?? 0);
    expect((await second.write(CONNECT(port)).readResponse({ method: 'CONNECT' })).status).toBe(502);
    second.destroy();
  });
});

describe('a 407', () => {
  const respond = async (faults: Faults, request = GET): Promise<readonly [RawResponse, RawConnection]> => {
    const [, raw] = await start({ page: 'page', faults });
    return [await raw.write(request).readResponse(), raw];
  };

  test.each<[string, Faults, object]>([
    ['by length', { framing407: 'length' }, { framing: { kind: 'length', length: 4 }, persistent: true }],
    ['chunked', { framing407: 'chunked' }, { framing: { kind: 'chunked' }, persistent: true }],
    ['ended by closing', { framing407: 'close' }, { framing: { kind: 'close' }, persistent: false }],
    ['in HTTP/1.0', { version407: '1.0' }, { version: '1.0', framing: { kind: 'length' }, persistent: false }],
    ['head apart from body', { segments: 'head-and-body' }, { framing: { kind: 'length' } }],
    ['byte by byte', { segments: 'bytes', framing407: 'chunked' }, { framing: { kind: 'chunked' } }],
  ])('has its page %s', async (_how, faults, expected) => {
    const [response] = await respond(faults);
    expect(response).toMatchObject({ status: 407, body: Buffer.from('page'), ...expected });
  });

  test('can be empty', async () => {
    const [response, raw] = await respond({ framing407: 'empty' });
    expect(response).toMatchObject({ body: Buffer.alloc(0), persistent: true });
    expect((await raw.write(GOOD).readResponse()).status).toBe(200);
  });

  test('byte by byte comes in many segments', async () => {
    const [, raw] = await start({ faults: { segments: 'bytes' } });
    let segments = 0;
    raw.socket.on('data', () => {
      segments += 1;
    });
    await raw.write(GET).readResponse();
    expect(segments).toBeGreaterThan(10);
  });

  test.each<[string, Faults, readonly string[]]>([
    ['says so', { closeAfter407: 'announced' }, ['Connection', 'close']],
    ['says so to old clients', { closeAfter407: 'proxy-connection' }, ['Proxy-Connection', 'close']],
    ['does not say so', { closeAfter407: 'unannounced' }, []],
    ['speaks HTTP/1.0', { version407: '1.0' }, []],
    ['has no other end', { framing407: 'close' }, []],
  ])('closes the connection and %s', async (_how, faults, announced) => {
    const [{ headers }, raw] = await respond(faults);
    const at = headers.findIndex((text) => /^(proxy-)?connection$/i.test(text));
    expect(at < 0 ? [] : headers.slice(at, at + 2)).toEqual(announced);
    expect(await raw.closed()).toBe('end');
  });

  test('can come before the body, which is then read and dropped', async () => {
    const [response, raw] = await respond({ early407: 'read-on' }, POST);
    expect(response.status).toBe(407);
    expect(upstream?.requests[0]).toMatchObject({ complete: false, body: Buffer.alloc(0) });
    expect((await raw.write(`abcdef${GOOD}`).readResponse()).status).toBe(200);
    expect(upstream?.requests[0]).toMatchObject({ complete: true, body: Buffer.from('abcdef') });
  });

  test('can come before the body, and close', async () => {
    const [response, raw] = await respond({ early407: 'close' }, POST);
    expect(response.status).toBe(407);
    raw.write('abcdef');
    expect(await raw.closed()).toBe('end');
  });

  test('can go on without end', async () => {
    const [, raw] = await start({ faults: { framing407: 'endless' } });
    expect(await raw.write(GET).readBytes(1_000_000)).toHaveLength(1_000_000);
  });

  test('can come again and again', async () => {
    const [, raw] = await start({ accept: () => 'reject' });
    for (let i = 0; i < 3; i += 1) expect((await raw.write(GOOD).readResponse()).status).toBe(407);
  });
});

describe('points of an exchange', () => {
  const whole = 'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="scripted"\r\n';

  test.each<[ExchangePoint, RegExp, boolean]>([
    ['request-head', /^$/, false],
    ['request', /^$/, true],
    ['response-head', new RegExp(`^${whole.slice(0, 40)}(?!.*\r\n\r\n)`, 's'), true],
    ['response-body', /\r\n\r\nab$/, true],
    ['response', /\r\n\r\nabcd$/, true],
  ])('cut at %s', async (at, received, complete) => {
    for (const by of ['reset', 'close'] as const) {
      const [{ requests }, raw] = await start({ page: 'abcd', faults: { cut: { at, by } } });
      raw.write(POST);
      if (at !== 'request-head') raw.write('abcdef');
      expect((await raw.readRest()).toString()).toMatch(received);
      expect(requests[0]?.complete).toBe(complete);
      raw.destroy();
      await upstream?.close();
    }
    upstream = undefined;
  });

  test('hold waits for what the test says', async () => {
    const script = new EventEmitter();
    const until = (): Promise<unknown> => {
      script.emit('reached');
      return once(script, 'release');
    };
    const reached = once(script, 'reached');
    const [, raw] = await start({ page: 'abcd', faults: { hold: { at: 'response-body', until } } });
    raw.write(GET);
    await reached;
    expect(await raw.readUntil(/\r\n\r\n.*/s)).toMatch(/\r\n\r\nab$/);
    script.emit('release');
    expect((await raw.readBytes(2)).toString()).toBe('cd');
  });

  test('faults can differ by request: the second on a connection dies unanswered', async () => {
    const faults = ({ turn }: ScriptedRequest): Faults => (turn === 2 ? { cut: { at: 'request' } } : {});
    const [, raw] = await start({ ...anyone, faults });
    expect((await raw.write(GET).readResponse()).status).toBe(200);
    expect((await raw.write(GET).readRest()).toString()).toBe('');
  });
});

test('sockets are counted, and closing cuts them', async () => {
  const [server, raw] = await start();
  await raw.write(GET).readResponse();
  expect(server.connections).toBe(1);
  await server.close();
  await raw.closed();
  expect(server.connections).toBe(0);
  upstream = undefined;
});

test('what a script throws comes out of close', async () => {
  const [server, raw] = await start({
    accept: () => {
      throw new Error('the script is wrong');
    },
  });
  raw.write(GET);
  await raw.closed();
  await expect(server.close()).rejects.toThrow('the script is wrong');
  upstream = undefined;
});
