import { createServer } from 'node:net';

/**
 * Serves each connection on a free port of loopback, and tells the parent the port in one line on stdout.
 *
 * @param {(socket: import('node:net').Socket) => void} serve
 */
export function listen(serve) {
  const server = createServer({ noDelay: true }, (socket) => {
    // A client that resets is the load generator's to count.
    socket.on('error', () => socket.destroy());
    serve(socket);
  });
  server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
    process.stdout.write(`${JSON.stringify(server.address())}\n`);
  });
}
