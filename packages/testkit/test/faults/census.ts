import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';

const CHANNELS = ['net.server.socket', 'net.client.socket'] as const;

/** Turns of the event loop; what goes by itself has gone by then. */
const PATIENCE = 2_000;

/** Waits until it holds, and says whether it does; no longer than what takes no time can take. */
export async function settled(done: () => boolean): Promise<boolean> {
  for (let turns = 0; turns < PATIENCE && !done(); turns += 1) await setImmediate();
  return done();
}

/** The line that set a timer. */
const setBy = (): string => /\/packages\/[a-z]+\/src\/[^)\n]*/.exec(new Error().stack ?? '')?.[0] ?? 'a timer';

/**
 * Knows every TCP socket of the process that was made after it, and every timer that was set since by what Jest runs, and
 * is still there. Those of sockets go with them; `process.getActiveResourcesInfo()` has the timers of Jest among them.
 */
export class Census {
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Map<unknown, string>();
  readonly #untouched = { setTimeout, clearTimeout };

  constructor() {
    for (const channel of CHANNELS) subscribe(channel, this.#onSocket);
    const before = this.#untouched;
    const set = (callback: (...args: unknown[]) => void, ms?: number, ...args: unknown[]): NodeJS.Timeout => {
      const timer = before.setTimeout(() => {
        this.#timers.delete(timer);
        callback(...args);
      }, ms);
      this.#timers.set(timer, setBy());
      return timer;
    };
    const clear: typeof clearTimeout = (timer) => {
      this.#timers.delete(timer);
      before.clearTimeout(timer);
    };
    Object.assign(globalThis, { setTimeout: set, clearTimeout: clear });
  }

  /** The other end of a connection within this process. */
  peerOf({ localPort }: Socket): Socket | undefined {
    return [...this.#sockets].find(({ remotePort }) => remotePort === localPort);
  }

  /** What is there, when all that goes by itself has gone; `undefined`: nothing. */
  async remains(): Promise<string | undefined> {
    const nothing = await settled(() => this.#sockets.size === 0 && this.#timers.size === 0);
    if (nothing) return undefined;
    return [`${this.#sockets.size} sockets`, ...new Set(this.#timers.values())].join(', ');
  }

  end(): void {
    for (const channel of CHANNELS) unsubscribe(channel, this.#onSocket);
    Object.assign(globalThis, this.#untouched);
  }

  readonly #onSocket = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  };
}
