const BLOCK = Buffer.alloc(256 * 1024, 'chain407');

/**
 * What lies at the end of a tunnel. The client's first line says what it is for: `down N`: gives N bytes and closes; `up N`:
 * takes N bytes, says `taken` and closes; `trade N`: takes N bytes, gives as many, and stays. Without a line it waits for the
 * client to close.
 *
 * @param {import('node:net').Socket} socket
 * @param {Buffer} early what came with the CONNECT
 */
export function serveTunnel(socket, early) {
  let line = '';
  const onLine = (/** @type {Buffer} */ bytes) => {
    line += bytes.latin1Slice();
    const end = line.indexOf('\n');
    if (end < 0) return;
    socket.off('data', onLine);
    const [task, count] = line.slice(0, end).split(' ');
    const rest = line.length - end - 1;
    const begin = TASKS.get(task);
    if (begin === undefined) socket.destroy();
    else begin(socket, Number(count), rest);
  };
  socket.on('data', onLine);
  if (early.length > 0) onLine(early);
}

const TASKS = new Map([
  ['down', pour],
  ['up', (socket, total, early) => take(socket, total, early, () => socket.end('taken'))],
  ['trade', (socket, total, early) => take(socket, total, early, () => socket.write(BLOCK.subarray(0, total)))],
]);

/**
 * Writes so many bytes, then closes.
 *
 * @param {import('node:net').Socket} socket
 * @param {number} total
 */
export function pour(socket, total) {
  let left = total;
  const more = () => {
    while (left > 0) {
      const size = Math.min(left, BLOCK.length);
      left -= size;
      if (!socket.write(BLOCK.subarray(0, size)) && left > 0) return void socket.once('drain', more);
    }
    socket.end();
  };
  socket.resume();
  more();
}

function take(socket, total, early, done) {
  let left = total - early;
  const onData = (bytes) => {
    left -= bytes.length;
    if (left > 0) return;
    socket.off('data', onData);
    // Without a listener for data the close would not be seen.
    socket.resume();
    done();
  };
  if (left > 0) socket.on('data', onData);
  else done();
}
