import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { Message } from './strict-reader.ts';
import { readRequest, valuesOf } from './strict-reader.ts';

/** Marks the answers that are the next hop's own. */
export const MARK = 'X-Next-Hop';

/** Of an answer, the request that the next hop gave it to. */
export const markOf = ({ fields }: Message): string | undefined => valuesOf(fields, MARK.toLowerCase())[0];

/** A request whose answer a test has written: bytes, then, unless it says otherwise, the end of the connection. */
export interface Script {
  readonly bytes: Buffer;
  /** Stays open until {@link NextHop.letGo}. */
  readonly open: boolean;
}

/**
 * What stands behind a tier: keeps what it was sent, reads it by the letter, and answers every request with its method
 * and target. What cannot be read is a fault, and ends the connection.
 */
export class NextHop {
  readonly port: number;
  /** Complete requests, in the order they came. */
  requests: Message[] = [];
  /** Why something that it was sent could not be read. */
  faults: string[] = [];
  /** Requests that ended with their connection before they were complete. */
  cut = 0;
  /** Latin-1, behind a CONNECT or an Upgrade that was accepted. */
  tunnelled = '';
  /** The answer to a request with this target, in whatever form, in place of the usual one. */
  scripts = new Map<string, Script>();
  readonly sockets = new Map<Socket, { text: string; tunnel: boolean }>();
  readonly #server: Server;
  #held: Socket[] = [];
  #holds = true;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket: Socket) => this.#adopt(socket));
  }

  static async start(): Promise<NextHop> {
    const server = createServer({ noDelay: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new NextHop(server);
  }

  /** `host:port`. */
  get authority(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Of connections on which something of a request has come, and not its end. */
  get underWay(): number {
    return [...this.sockets.values()].filter(({ text, tunnel }) => tunnel || text !== '').length;
  }

  /** A new case begins. */
  forget(): void {
    this.requests = [];
    this.faults = [];
    this.cut = 0;
    this.tunnelled = '';
    this.scripts.clear();
    this.#holds = true;
  }

  /** Ends the connections that a script has left open, and leaves none open any more. */
  letGo(): void {
    this.#holds = false;
    for (const socket of this.#held) socket.end();
    this.#held = [];
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets.keys()) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #adopt(socket: Socket): void {
    const state = { text: '', tunnel: false };
    this.sockets.set(socket, state);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      this.sockets.delete(socket);
      if (!state.tunnel && state.text !== '') this.cut += 1;
    });
    socket.on('data', (bytes) => {
      state.text += bytes.toString('latin1');
      this.#read(socket, state);
    });
  }

  #read(socket: Socket, state: { text: string; tunnel: boolean }): void {
    while (!state.tunnel) {
      const read = readRequest(state.text);
      if (read.kind === 'fault') {
        this.faults.push(`${read.why}, in ${JSON.stringify(state.text)}`);
        state.text = '';
        socket.destroy();
        return;
      }
      if (read.kind === 'partial') return;
      state.text = read.rest;
      this.requests.push(read.message);
      const answer = this.#answer(socket, read.message);
      // Behind a refused CONNECT the connection goes on.
      state.tunnel = read.after === 'tunnel' && /^HTTP\/1\.[01] 2/.test(answer);
    }
    this.tunnelled += state.text;
    state.text = '';
  }

  #answer(socket: Socket, { start: [method, target] }: Message): string {
    const script = this.scripts.get(pathOf(target));
    const answer = script?.bytes.toString('latin1') ?? answerTo(method, target);
    socket.write(answer, 'latin1');
    if (script === undefined) return answer;
    if (script.open && this.#holds) this.#held.push(socket);
    else socket.end();
    return answer;
  }
}

const pathOf = (target: string): string => target.replace(/^https?:\/\/[^/]*/i, '');

function answerTo(method: string, target: string): string {
  const head = `HTTP/1.1 200 OK\r\n${MARK}: ${method} ${target}\r\n`;
  if (method === 'CONNECT') return `${head}\r\n`;
  return `${head}Content-Length: ${target.length}\r\n\r\n${method === 'HEAD' ? '' : target}`;
}
