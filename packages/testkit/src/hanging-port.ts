import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';

export interface HangingPort {
  /** On 127.0.0.1. */
  readonly port: number;
  close(): Promise<void>;
}

/** A thread of its own, since Node accepts whenever its loop turns. */
const LISTEN_AND_BLOCK = `
  const { parentPort } = require('node:worker_threads');
  const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });`;

/** A port that takes no connection and refuses none: its backlog is full, and nobody accepts. For time-outs of connecting. */
export async function hangingPort(): Promise<HangingPort> {
  const worker = new Worker(LISTEN_AND_BLOCK, { eval: true });
  const [port] = (await once(worker, 'message')) as [number];
  const fillers: Socket[] = [];
  // Linux queues one more than the backlog says.
  for (let i = 0; i < 2; i += 1) {
    const filler = connect({ port, host: '127.0.0.1' }).on('error', () => undefined);
    fillers.push(filler);
    await once(filler, 'connect');
  }
  return {
    port,
    close: async () => {
      for (const filler of fillers) filler.destroy();
      await worker.terminate();
    },
  };
}
