import { connect } from 'node:net';
import { MANNERS } from './manners.mjs';
import { Tally } from './tally.mjs';

/** So many at once while they are opened. */
const LANES = 64;
/**
 * Opens connections that never ask for anything, and opens another one for each that is closed.
 *
 * @param {{ port: number, manner: keyof typeof MANNERS, connections: number }} options
 */
export async function load({ port, manner, connections }) {
  const tally = new Tally();
  const begin = () =>
    new Promise((resolve) => {
      const at = performance.now();
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      let open = false;
      socket.on('error', () => undefined);
      socket.once('connect', () => {
        open = true;
        MANNERS[manner](socket);
        tally.done(performance.now() - at);
        resolve();
      });
      socket.once('close', () => {
        if (open) begin();
        else tally.failed('a connection was refused');
        resolve();
      });
      // So that a close is seen.
      socket.resume();
    });
  let left = connections;
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      await begin();
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return tally.result();
}
