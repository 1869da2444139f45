import { once } from 'node:events';
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';
import { closeLater } from './support.ts';

const LISTEN_AND_BLOCK = `
  const { parentPort } = require('node:worker_threads');
  const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });`;

/** A port that takes no further connection and refuses none: its backlog is full and nobody accepts. */
export async function hangingPort(): Promise<number> {
  const worker = new Worker(LISTEN_AND_BLOCK, { eval: true });
  closeLater(() => worker.terminate());
  const [port] = (await once(worker, 'message')) as [number];
  // Linux queues one more than the backlog says.
  for (let i = 0; i < 2; i += 1) {
    const filler = connect({ port, host: '127.0.0.1' }).on('error', () => undefined);
    closeLater(() => filler.destroy());
    await once(filler, 'connect');
  }
  return port;
}
