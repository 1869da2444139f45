// Many connections that ask for nothing, from a process of their own:
//   fork('storm-process.mjs', ['{"port":…,"manner":"silent","connections":10000}'])
// Says { opened } once each has been opened, { counted, ended } once as many have ended as it was asked for by a number, and
// { allEnded, ended } when none is left.
import { connect } from 'node:net';
import { MANNERS } from '../../../../scripts/bench/loads/manners.mjs';

const { port, manner, connections, host = '127.0.0.1' } = JSON.parse(process.argv[2]);

/** So many at once while they are opened: what a listener queues. */
const LANES = 200;
const open = new Set();
/** How connections ended: a status, or `unheard`. */
const ended = {};

function begin() {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let said = '';
    open.add(socket);
    socket.once('connect', () => {
      MANNERS[manner](socket);
      resolve();
    });
    socket.on('data', (bytes) => {
      if (said === '') said = bytes.toString('latin1', 9, 12);
    });
    socket.on('error', () => undefined);
    socket.once('close', () => {
      open.delete(socket);
      const how = said === '' ? 'unheard' : said;
      ended[how] = (ended[how] ?? 0) + 1;
      answer();
      resolve();
      if (left === 0 && open.size === 0) process.send({ allEnded: true, ended });
    });
  });
}

let left = connections;
async function lane() {
  while (left > 0) {
    left -= 1;
    await begin();
  }
}

let asked = Number.POSITIVE_INFINITY;
function answer() {
  if (connections - left - open.size < asked) return;
  asked = Number.POSITIVE_INFINITY;
  process.send({ counted: true, ended });
}
process.on('message', (count) => {
  asked = count;
  answer();
});
process.on('disconnect', () => process.exit());
await Promise.all(Array.from({ length: LANES }, lane));
process.send({ opened: connections });
