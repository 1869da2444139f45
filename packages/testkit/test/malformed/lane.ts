import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import type { Chain } from '../../src/index.ts';
import { startChain } from '../../src/index.ts';
import type { StrictMessage, StrictReading } from './strict-reader.ts';
import { readRequests } from './strict-reader.ts';

/** Whatever a client does, a tier is done with it after these: a test has to wait for nothing but the close. */
const LIMITS = {
  ...{ headerTimeout: '200ms', idleTimeout: '20ms', responseTimeout: '300ms' },
  ...{ tunnelIdleTimeout: '200ms', tunnelHalfCloseTimeout: '200ms' },
};
/** No connection serves two messages of ours: what one receives belongs together. */
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok';

export type TierName = 'downstream' | 'upstream';

/** What came of one message. */
export interface Outcome {
  /** What the client got until its connection was closed. */
  readonly client: string;
  /** What each connection of the next hop received. */
  readonly hop: readonly StrictReading[];
}

/** How the next hop answers the first request of each connection: with these bytes, then the end. */
export type Script = (request: StrictMessage) => string;

/** One tier between a raw client and a raw next hop, for one message at a time. */
export class Lane {
  readonly #chain: Chain;
  readonly #server: Server;
  readonly #tier: TierName;
  /** Of each connection since the last message of ours. */
  #received: { text: string }[] = [];
  #script: Script = () => OK;
  readonly #sockets = new Set<Socket>();

  private constructor(chain: Chain, server: Server, tier: TierName) {
    this.#chain = chain;
    this.#server = server;
    this.#tier = tier;
    server.on('connection', (socket: Socket) => this.#serve(socket));
  }

  /** The next hop of a downstream is a proxy, that of an upstream an origin; both are asked for nothing. */
  static async start(tier: TierName): Promise<Lane> {
    const server = createServer({ noDelay: true });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const chain = await startChain({
      downstream: {
        identity: 'none',
        upstreams: { hop: { url: `http://127.0.0.1:${port}`, idleTimeout: '5s' } },
        limits: LIMITS,
      },
      upstream: {
        auth: { anonymous: true },
        private: 'allow',
        ports: { connect: ['1-65535'], any: ['1-65535'] },
        limits: LIMITS,
      },
    });
    return new Lane(chain, server, tier);
  }

  /** `host:port` of the next hop. */
  get authority(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    await this.#chain.close();
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Writes `bytes` on a connection of their own, and waits until the tier has closed it. */
  async tell(bytes: Buffer, script: Script = () => OK): Promise<Outcome> {
    const received: { text: string }[] = [];
    this.#received = received;
    this.#script = script;
    const socket = connect({ host: '127.0.0.1', port: this.#chain[this.#tier].port, noDelay: true });
    let client = '';
    socket.on('data', (piece: Buffer) => {
      client += piece.toString('latin1');
    });
    // A reset is a close, too.
    socket.on('error', () => undefined);
    const closed = once(socket, 'close');
    socket.write(bytes);
    await closed;
    return { client, hop: received.map(({ text }) => readRequests(text)) };
  }

  #serve(socket: Socket): void {
    const received = { text: '' };
    this.#received.push(received);
    const script = this.#script;
    let answered = false;
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('data', (piece: Buffer) => {
      received.text += piece.toString('latin1');
      const [request] = readRequests(received.text).messages;
      if (answered || request === undefined) return;
      answered = true;
      socket.end(script(request), 'latin1');
    });
  }
}

/** Runs `work` for every item, on as many lanes at once. */
export async function onLanes<T>(
  lanes: readonly Lane[],
  items: readonly T[],
  work: (lane: Lane, item: T) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  await Promise.all(
    lanes.map(async (lane) => {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(lane, item);
    }),
  );
}
