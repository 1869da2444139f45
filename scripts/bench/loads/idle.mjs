import { askTunnel, open } from './connection.mjs';
import { Tally } from './tally.mjs';

/** So many at once while they are set up. */
const LANES = 64;

/**
 * Sets tunnels up, sends bytes through each both ways as a TLS handshake does, and leaves them open.
 *
 * @param {{ port: number, target: string, credentials?: string, tunnels: number, bytes: number }} options
 */
export async function load({ port, target, credentials, tunnels, bytes }) {
  const tally = new Tally();
  let left = tunnels;
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      const at = performance.now();
      try {
        await trade({ port, target, credentials, bytes });
        tally.done(performance.now() - at);
      } catch (error) {
        tally.failed(error.message);
      }
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return tally.result();
}

async function trade({ port, target, credentials, bytes }) {
  const connection = open({ port });
  const { socket, closed } = connection;
  await askTunnel(connection, { target, credentials });
  socket.write(`trade ${bytes}\n`);
  socket.write(Buffer.alloc(bytes, 'h'));
  let got = 0;
  const traded = new Promise((resolve) => {
    const onData = (data) => {
      got += data.length;
      if (got < bytes) return;
      socket.off('data', onData);
      socket.setTimeout(0);
      resolve();
    };
    socket.on('data', onData);
  });
  const cut = closed.then(() => {
    throw new Error(`a tunnel closed after ${got} bytes of ${bytes}`);
  });
  cut.catch(() => undefined);
  await Promise.race([traded, cut]);
  // So that a close is seen.
  socket.resume();
}
