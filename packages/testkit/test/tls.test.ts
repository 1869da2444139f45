import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer as createPlain } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Chain } from '../src/index.ts';
import { RawConnection, startChain } from '../src/index.ts';

/** TLS on the listeners, and to the upstream. */
const file = (name: string): string => fileURLToPath(new URL(`certificates/${name}`, import.meta.url));
const AUTHORITY = file('authority.pem');
const TLS = { ca: readFileSync(AUTHORITY), servername: 'localhost' };
const LISTEN = { address: '127.0.0.1:0', tls: { cert: file('proxy.pem'), key: file('proxy.key') } };
const SERVER = { cert: readFileSync(file('proxy.pem')), key: readFileSync(file('proxy.key')), ca: TLS.ca };
const GET = 'GET http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\n\r\n';
const CONNECT = 'CONNECT origin.test:80 HTTP/1.1\r\nHost: origin.test:80\r\n\r\n';

const overTls = (auth: string, upstreamTls: object = { ca: AUTHORITY }): Promise<Chain> =>
  startChain({
    upstream: { listen: LISTEN, auth: { schemes: [auth] } },
    downstream: { listen: LISTEN, upstreams: { corp: { tls: upstreamTls } } },
  });

describe.each(['basic', 'digest', 'ntlm'])('a chain over TLS on every hop, with %s', (scheme) => {
  let chain: Chain;
  let client: RawConnection;

  beforeAll(async () => {
    chain = await overTls(scheme);
    client = await RawConnection.connect(chain.downstream.port, { tls: TLS });
  });

  afterAll(async () => {
    client.destroy();
    await chain.close();
  });

  test('says so in its urls', () => {
    expect([chain.url, chain.upstream.url]).toEqual([
      expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+$/),
      expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+$/),
    ]);
  });

  test('carries requests', async () => {
    expect((await client.exchange(GET)).status).toBe(200);
    expect((await client.exchange(GET)).status).toBe(200);
  });

  test('counts a client once', () => expect(chain.downstream.connections).toBe(1));

  test('gives a connection back to HTTP after a refused CONNECT, and then carries a tunnel on it', async () => {
    const refused = await client.exchange('CONNECT origin.test:1 HTTP/1.1\r\nHost: origin.test:1\r\n\r\n');
    expect(refused.status).toBe(403);
    expect((await client.exchange(CONNECT)).status).toBe(200);
    const inside = await client.exchange('GET / HTTP/1.1\r\nHost: origin.test\r\nConnection: close\r\n\r\n');
    expect(inside.status).toBe(200);
    expect(await client.closed()).toBe('end');
  });
});

test('a client that does not shake hands counts towards the limits of connections', async () => {
  const chain = await startChain({
    downstream: { listen: LISTEN, limits: { connectionsPerClient: 1 } },
  });
  const silent = await RawConnection.connect(chain.downstream.port);
  const refused = await RawConnection.connect(chain.downstream.port, { tls: TLS });
  const { status, headers } = await refused.exchange(GET);
  expect(status).toBe(503);
  expect(headers).toContainEqual(expect.stringContaining('details="limits.connectionsPerClient"'));
  expect(chain.downstream.connections).toBe(1);
  silent.destroy();
  while (chain.downstream.connections > 0) await setImmediate();
  const client = await RawConnection.connect(chain.downstream.port, { tls: TLS });
  expect((await client.exchange(GET)).status).toBe(200);
  client.destroy();
  await chain.close();
});

test('a refused NTLM client can go on over TLS on the same connection', async () => {
  const chain = await startChain({
    upstream: { listen: LISTEN, auth: { schemes: ['basic'] } },
    downstream: { listen: LISTEN, identity: 'relay', upstreams: { corp: { tls: { ca: AUTHORITY } } } },
  });
  const client = await RawConnection.connect(chain.downstream.port, { tls: TLS });
  expect((await client.exchange(CONNECT)).status).toBe(407);
  const credentials = `Proxy-Authorization: Basic ${Buffer.from('alice:secret').toString('base64')}\r\n\r\n`;
  expect((await client.exchange(CONNECT.replace('\r\n\r\n', `\r\n${credentials}`))).status).toBe(200);
  client.destroy();
  await chain.close();
});

test('a listener offers http/1.1 to clients that could speak more', async () => {
  const chain = await overTls('basic');
  const client = await RawConnection.connect(chain.downstream.port, {
    tls: { ...TLS, ALPNProtocols: ['h2', 'http/1.1'] },
  });
  expect((client.socket as TLSSocket).alpnProtocol).toBe('http/1.1');
  client.destroy();
  await chain.close();
});

describe('an upstream that is not what it should be', () => {
  const statusOf = async (chain: Chain): Promise<readonly [status: number, proxyStatus: string | undefined]> => {
    const client = await RawConnection.connect(chain.downstream.port, { tls: TLS });
    const { status, headers } = await client.exchange(GET);
    client.destroy();
    await chain.close();
    return [status, headers[headers.indexOf('Proxy-Status') + 1]];
  };

  test('a certificate of an unknown authority is a 502 that says so', async () => {
    const [status, proxyStatus] = await statusOf(await overTls('basic', {}));
    expect(status).toBe(502);
    expect(proxyStatus).toMatch(/error=tls_certificate_error; next-hop="corp".*UNABLE_TO_VERIFY_LEAF_SIGNATURE/);
  });

  test('a certificate of another name is a 502 that says so', async () => {
    const [status, proxyStatus] = await statusOf(
      await overTls('basic', { ca: AUTHORITY, servername: 'other.example' }),
    );
    expect(status).toBe(502);
    expect(proxyStatus).toMatch(/error=tls_certificate_error.*ERR_TLS_CERT_ALTNAME_INVALID/);
  });

  test('a port that does not speak TLS is a 502 that says so', async () => {
    const plain = await startChain();
    const chain = await startChain({
      downstream: { listen: LISTEN, upstreams: { corp: { url: plain.upstream.url.replace('http', 'https') } } },
    });
    const [status, proxyStatus] = await statusOf(chain);
    await plain.close();
    expect(status).toBe(502);
    expect(proxyStatus).toContain('error=tls_protocol_error');
  });

  test('a port that speaks TLS, and says so to a request without it, is a 502 that says so', async () => {
    // RFC 8446 §6: of version 1.0, as before it is agreed on, fatal, unexpected_message.
    const server = createPlain((socket) => void socket.end(Buffer.from([0x15, 3, 1, 0, 2, 2, 10])));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const corp = { url: `http://127.0.0.1:${port}` };
    const [status, proxyStatus] = await statusOf(
      await startChain({ downstream: { listen: LISTEN, upstreams: { corp } } }),
    );
    server.close();
    expect(status).toBe(502);
    expect(proxyStatus).toMatch(/error=tls_protocol_error.*its url begins with http:/);
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'a certificate that it asks for in vain is a 502 that says so: %s',
    async (version) => {
      const server = createServer({ ...SERVER, requestCert: true, maxVersion: version });
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const { port } = server.address() as AddressInfo;
      const corp = { url: `https://localhost:${port}`, tls: { ca: AUTHORITY } };
      const [status, proxyStatus] = await statusOf(
        await startChain({ downstream: { listen: LISTEN, identity: 'none', upstreams: { corp } } }),
      );
      server.close();
      expect(status).toBe(502);
      expect(proxyStatus).toContain('error=tls_protocol_error');
    },
  );
});

describe('the hop to an upstream over TLS', () => {
  let server: Server;
  let chain: Chain | undefined;
  const heard: { readonly servername: unknown; readonly reused: boolean; readonly client: string | undefined }[] = [];

  beforeAll(async () => {
    server = createServer({
      ...SERVER,
      requestCert: true,
      rejectUnauthorized: false,
    });
    server.on('secureConnection', (socket) => {
      socket.on('error', () => socket.destroy());
      const reused = socket.isSessionReused();
      const client = socket.authorized && !reused ? socket.getPeerCertificate().subject.CN?.toString() : undefined;
      heard.push({ servername: socket.servername, reused, client });
      socket.on('data', () => socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n'));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterEach(async () => {
    await chain?.close();
    heard.length = 0;
  });
  afterAll(() => {
    server.close();
  });

  const ask = async (tls: object, host: string, times: number): Promise<void> => {
    const { port } = server.address() as { readonly port: number };
    chain = await startChain({
      downstream: { identity: 'none', upstreams: { corp: { url: `https://${host}:${port}`, tls } } },
    });
    const client = await RawConnection.connect(chain.downstream.port);
    for (let i = 0; i < times; i += 1) expect((await client.exchange(GET)).status).toBe(204);
    client.destroy();
  };

  test('names the server, and resumes the session of an earlier connection', async () => {
    await ask({ ca: AUTHORITY }, 'localhost', 2);
    expect(heard).toEqual([
      { servername: 'localhost', reused: false, client: undefined },
      { servername: 'localhost', reused: true, client: undefined },
    ]);
  });

  test('sends no address for a name, and checks it all the same', async () => {
    await ask({ ca: AUTHORITY }, '127.0.0.1', 1);
    expect(heard).toEqual([{ servername: false, reused: false, client: undefined }]);
  });

  test('takes another name where it is told one', async () => {
    await ask({ ca: AUTHORITY, servername: 'proxy.test' }, '127.0.0.1', 1);
    expect(heard).toEqual([{ servername: 'proxy.test', reused: false, client: undefined }]);
  });

  test('shows its own certificate', async () => {
    await ask({ ca: AUTHORITY, cert: file('client.pem'), key: file('client.key') }, 'localhost', 1);
    expect(heard).toEqual([{ servername: 'localhost', reused: false, client: 'a client' }]);
  });
});

describe('a configuration is refused', () => {
  const complaint = (config: Parameters<typeof startChain>[0]): Promise<string> =>
    startChain(config).then(
      () => 'accepted',
      (error: Error) => error.message,
    );

  test.each([
    ['a file that is not there', { cert: file('none.pem'), key: LISTEN.tls.key }, /listen\.tls\.cert: .*no such file/],
    [
      'a key for a certificate',
      { cert: LISTEN.tls.key, key: LISTEN.tls.key },
      /listen\.tls\.cert: expected a certificate in PEM form/,
    ],
    [
      'a certificate for a key',
      { cert: LISTEN.tls.cert, key: LISTEN.tls.cert },
      /listen\.tls\.key: expected a private key in PEM form/,
    ],
    [
      'the key of another',
      { cert: LISTEN.tls.cert, key: file('stranger.key') },
      /listen\.tls\.key: expected the key of the certificate/,
    ],
    ['no key', { cert: LISTEN.tls.cert }, /listen\.tls\.key: expected the path of a file, got nothing/],
  ])('with %s on a listener', async (_what, tls, message) => {
    const listen = { address: '127.0.0.1:0', tls };
    expect(await complaint({ downstream: { listen } })).toMatch(message);
    expect(
      await complaint({ upstream: { listen }, downstream: { upstreams: { corp: { tls: { ca: AUTHORITY } } } } }),
    ).toMatch(message);
  });

  test.each([
    [
      'tls to a url without it',
      'http://127.0.0.1:1',
      { ca: AUTHORITY },
      /upstreams\.corp\.tls: expected an https:\/\/ url/,
    ],
    [
      'a certificate without its key',
      'https://127.0.0.1:1',
      { cert: file('client.pem') },
      /upstreams\.corp\.tls: expected cert and key together/,
    ],
    [
      'an authority that is none',
      'https://127.0.0.1:1',
      { ca: LISTEN.tls.key },
      /upstreams\.corp\.tls\.ca: expected certificates in PEM form/,
    ],
  ])('with %s for an upstream', async (_what, url, tls, message) => {
    expect(await complaint({ downstream: { upstreams: { corp: { url, tls } } } })).toMatch(message);
  });
});
