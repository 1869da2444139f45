import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { maxOpenFiles } from './max-open-files.ts';

/** Files that a process has open for itself: its listeners and log, and what its threads and resolver need. */
const OWN_FILES = 64;
/** Of the others: clients are let in up to this share, so that those that are in still get a connection to their next hop. */
const FOR_CLIENTS = 3 / 4;
/** Their exchanges begin up to this one; what is left is for those beyond a limit, and for what comes at the same time. */
const FOR_EXCHANGES = 7 / 8;

/** Node publishes a socket here for every connection that it makes, but for those with TLS. */
const CONNECTS = 'net.client.socket';

/**
 * The connections of this process, to its clients and for them, measured by the files that it may have open: a process without
 * any left can do nothing, not even refuse. Knows nothing of listeners.
 */
class OpenFiles {
  /** Files that are not the process's own. */
  readonly #most = Math.max(2, maxOpenFiles() - OWN_FILES);
  #clients = 0;
  #exchanges = 0;
  #outgoing = 0;
  #watchers = 0;

  /** An exchange has one connection to a next hop, soon or already; those that nobody uses rest for others. */
  get used(): number {
    return this.#clients + Math.max(this.#exchanges, this.#outgoing);
  }

  get roomForClient(): boolean {
    return this.used < this.#most * FOR_CLIENTS;
  }

  get roomForExchange(): boolean {
    return this.used < this.#most * FOR_EXCHANGES;
  }

  /** From now on, until {@link unwatch}, connections to next hops are counted. */
  watch(): void {
    this.#watchers += 1;
    if (this.#watchers === 1) subscribe(CONNECTS, this.#onConnect);
  }

  unwatch(): void {
    this.#watchers -= 1;
    if (this.#watchers === 0) unsubscribe(CONNECTS, this.#onConnect);
  }

  /** One to a next hop. */
  addOutgoing(socket: Socket): void {
    this.#outgoing += 1;
    socket.once('close', () => {
      this.#outgoing -= 1;
    });
  }

  addClients(count: 1 | -1): void {
    this.#clients += count;
  }

  addExchanges(count: 1 | -1): void {
    this.#exchanges += count;
  }

  readonly #onConnect = (message: unknown): void => this.addOutgoing((message as { readonly socket: Socket }).socket);
}

/** Of all listeners of this process. */
export const openFiles = new OpenFiles();
