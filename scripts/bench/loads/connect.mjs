import { askTunnel, open } from './connection.mjs';
import { repeat } from './tally.mjs';

/**
 * Sets tunnels up and tears them down: a connection, CONNECT, 200, close, until the other side has closed, too.
 *
 * @param {{ port: number, target: string, credentials?: string, seconds: number, concurrency: number }} options
 */
export function load({ port, target, credentials, seconds, concurrency }) {
  return repeat({ seconds, concurrency }, async () => {
    const connection = open({ port });
    await askTunnel(connection, { target, credentials });
    connection.socket.end();
    connection.socket.resume();
    await connection.closed;
  });
}
