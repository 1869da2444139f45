import { afterEach, expect, test } from '@jest/globals';
import { oneShot } from '../src/one-shot.ts';
import { OPTIONS, rawServer } from './raw-server.ts';
import { cleanUp, scripted } from './support.ts';

afterEach(cleanUp);

test.each([
  ['says nothing', () => undefined, 'ERR_CONNECT_TIMEOUT'],
  ['closes', (socket: { end(): void }) => socket.end(), 'ECONNRESET'],
  [
    'speaks no TLS',
    (socket: { write(text: string): void }) => socket.write('220 mail\r\n'),
    'ERR_SSL_WRONG_VERSION_NUMBER',
  ],
])('where an https origin behind the proxy %s, that is what comes of it', async (_what, greet, code) => {
  const origin = await rawServer(greet);
  const { port } = await scripted({ accept: () => 'accept', tunnel: 'target' });
  const outcome = await oneShot({
    upstream: {
      ...{ name: 'hop', idleTimeout: 0, spare: 0, credential: undefined },
      connection: { ...OPTIONS, port, connectTimeout: 500 },
    },
    method: 'GET',
    connect: true,
    headers: [],
    target: {
      ...{ form: 'absolute', scheme: 'https', host: '127.0.0.1', port: origin, path: '/' },
      ...{ authority: `127.0.0.1:${origin}`, absolute: `https://127.0.0.1:${origin}/` },
    },
  });
  expect(outcome).toMatchObject({ kind: 'failed', insideTunnel: true, error: { code } });
});
