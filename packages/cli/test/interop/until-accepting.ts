import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** Resolves when a port of 127.0.0.1 takes connections; rejects with the last refusal after `deadline` milliseconds. */
export async function untilAccepting(port: number, deadline = 10_000): Promise<void> {
  const end = Date.now() + deadline;
  for (;;) {
    const socket = connect({ host: '127.0.0.1', port });
    try {
      await once(socket, 'connect');
      return;
    } catch (refusal) {
      if (Date.now() > end) throw refusal;
    } finally {
      socket.destroy();
    }
    await pause(10);
  }
}

/** Resolves when there is something at a path; rejects after `deadline` milliseconds. */
export async function untilThere(path: string, deadline = 20_000): Promise<void> {
  const end = Date.now() + deadline;
  while (!existsSync(path)) {
    if (Date.now() > end) throw new Error(`nothing came to be at ${path} in ${deadline} ms`);
    await pause(20);
  }
}
