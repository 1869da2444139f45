import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from '@jest/globals';
import { hangingPort } from '../src/index.ts';

test('a hanging port takes no connection and refuses none, until it is closed', async () => {
  const { port, close } = await hangingPort();
  const socket = connect({ port, host: '127.0.0.1', timeout: 300 });
  const outcome = Promise.race(['connect', 'error', 'timeout'].map((event) => once(socket, event).then(() => event)));
  expect(await outcome).toBe('timeout');
  socket.destroy();
  await close();
  await expect(once(connect({ port, host: '127.0.0.1' }), 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});
