import { askTunnel, open } from './connection.mjs';
import { repeat } from './tally.mjs';

const GIGABYTE = 1_000_000_000;
const BLOCK = Buffer.alloc(256 * 1024, 'chain407');
const ROOM = Buffer.alloc(256 * 1024);

/**
 * Moves gigabytes through tunnels, one after the other, each by a tunnel of its own.
 *
 * @param {{
 *   port: number, target: string, credentials?: string, seconds: number, concurrency: number, direction: 'down' | 'up',
 *   bytes?: number,
 * }} options `bytes` of each tunnel; default: 1 GB. The unit of the result is a gigabyte.
 */
export function load({ port, target, credentials, seconds, concurrency, direction, bytes = GIGABYTE }) {
  const move = direction === 'down' ? down : up;
  return repeat({ seconds, concurrency, weight: bytes / GIGABYTE }, () => move({ port, target, credentials, bytes }));
}

/** Reads into memory of its own, so that the generator costs as little as it can. */
async function down({ port, target, credentials, bytes }) {
  let text = '';
  let got = 0;
  let begun = false;
  let refused;
  const onread = {
    buffer: ROOM,
    callback: (size) => {
      if (begun) {
        got += size;
        return true;
      }
      text += ROOM.latin1Slice(0, size);
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) return true;
      if (text.slice(9, 12) !== '200') {
        refused = new Error(`${text.slice(9, 12)} to CONNECT`);
        socket.destroy();
        return false;
      }
      begun = true;
      got = text.length - end - 4;
      socket.write(`down ${bytes}\n`);
      return true;
    },
  };
  const { socket, closed } = open({ port, onread });
  const own = credentials === undefined ? '' : `Proxy-Authorization: ${credentials}\r\n`;
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${own}\r\n`);
  await closed;
  if (refused !== undefined) throw refused;
  if (got !== bytes) throw new Error(`${got} bytes of ${bytes} came down the tunnel`);
}

async function up({ port, target, credentials, bytes }) {
  const connection = open({ port });
  const { socket, closed } = connection;
  await askTunnel(connection, { target, credentials });
  let answer = '';
  socket.on('data', (data) => {
    answer += data.latin1Slice();
  });
  socket.write(`up ${bytes}\n`);
  let left = bytes;
  const more = () => {
    while (left > 0) {
      const size = Math.min(left, BLOCK.length);
      left -= size;
      if (!socket.write(BLOCK.subarray(0, size)) && left > 0) return void socket.once('drain', more);
    }
  };
  more();
  await closed;
  if (answer !== 'taken') throw new Error(`a tunnel closed before ${bytes} bytes had gone up`);
}
