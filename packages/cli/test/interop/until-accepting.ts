import { once } from 'node:events';
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
