import { createHash } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import { createServer, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { HeaderPair } from './header-pairs.ts';
import { headerPairs } from './header-pairs.ts';
import { responseHeadText } from './message-text.ts';
import { switchProtocols } from './upgrade.ts';

/** A request as it reached the origin: what it answers as JSON, and what {@link Origin.requests} keeps. */
export interface EchoedRequest {
  readonly method: string;
  /** The request-target as it stood in the request line. */
  readonly target: string;
  readonly httpVersion: string;
  /** In the order, case and number that they came. */
  readonly headers: readonly HeaderPair[];
  /** In bytes, without framing. */
  readonly bodyLength: number;
  /** In hexadecimal. */
  readonly bodySha256: string;
  /** `o1`, `o2` …: one for each TCP connection that the origin accepted. */
  readonly connection: string;
  readonly trailers: readonly HeaderPair[];
}

export interface OriginOptions {
  /** Address to listen on. Default `127.0.0.1`. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
}

export interface Origin {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly port: number;
  /** What reached it whole, in order; the last 10 000, because an origin may stay up for days. */
  readonly requests: readonly EchoedRequest[];
  /** Sockets that are open now. */
  readonly connections: number;
  /** Cuts every connection and stops listening. */
  close(): Promise<void>;
}

const KEPT_REQUESTS = 10_000;
const BLOCK = Buffer.alloc(64 * 1024, 'x');

/** `size` bytes, made as they are taken. */
function* blocks(size: number): Generator<Buffer> {
  for (let left = size; left > 0; left -= BLOCK.length) yield BLOCK.subarray(0, Math.min(left, BLOCK.length));
}

function send(res: ServerResponse, status: number, headers: string[], body: string): void {
  const bodiless = status === 204 || status === 304;
  res.writeHead(status, bodiless ? headers : [...headers, 'Content-Length', String(Buffer.byteLength(body))]);
  res.end(bodiless ? undefined : body);
}

type Answer = (res: ServerResponse, count: number) => void;

/** What answers in another way than by the echo; the number in the path is `count`. */
const PATHS: readonly (readonly [path: RegExp, answer: Answer])[] = [
  [
    /^\/size\/([0-9]{1,12})$/,
    (res, count) => {
      res.writeHead(200, ['Content-Type', 'application/octet-stream', 'Content-Length', String(count)]);
      Readable.from(blocks(count)).pipe(res);
    },
  ],
  [
    /^\/chunked\/([0-9]{1,12})$/,
    (res, count) => {
      res.writeHead(200, ['Content-Type', 'application/octet-stream', 'Trailer', 'X-Bytes']);
      res.addTrailers([['X-Bytes', String(count)]]);
      Readable.from(blocks(count)).pipe(res);
    },
  ],
  [/^\/status\/([2-5][0-9]{2})$/, (res, count) => send(res, count, ['Content-Type', 'text/plain'], `${count}\n`)],
  [
    /^\/407()$/,
    (res) => send(res, 407, ['Proxy-Authenticate', 'Basic realm="the origin, which is no proxy"'], 'from the origin\n'),
  ],
  // Never answers: for time-outs, and for clients that go away.
  [/^\/hang()$/, () => undefined],
  [
    /^\/cut()$/,
    (res) => {
      res.writeHead(200, ['Content-Type', 'text/plain', 'Content-Length', '1000']);
      res.write('x'.repeat(500), () => res.socket?.resetAndDestroy());
    },
  ],
];

class EchoingOrigin implements Origin {
  readonly #server: Server;
  readonly #ids = new Map<Socket, string>();
  readonly #requests: EchoedRequest[] = [];
  #accepted = 0;

  constructor() {
    this.#server = createServer((req, res) => this.#whole(req, (echo) => this.#answer(echo, res)));
    this.#server.on('connection', (socket: Socket) => this.#adopt(socket));
    this.#server.on('upgrade', (req, socket, head) => this.#onUpgrade(req, socket as Socket, head));
  }

  async listen(host: string, port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  get url(): string {
    const { address, family } = this.#server.address() as AddressInfo;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${this.port}`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get requests(): readonly EchoedRequest[] {
    return this.#requests;
  }

  get connections(): number {
    return this.#ids.size;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#ids.keys()) socket.destroy();
    await closed;
  }

  #adopt(socket: Socket): void {
    this.#accepted += 1;
    this.#ids.set(socket, `o${this.#accepted}`);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#ids.delete(socket));
  }

  #whole(req: IncomingMessage, then: (echo: EchoedRequest) => void): void {
    const hash = createHash('sha256');
    const connection = this.#ids.get(req.socket) ?? 'gone';
    let bodyLength = 0;
    req.on('data', (bytes: Buffer) => {
      hash.update(bytes);
      bodyLength += bytes.length;
    });
    req.once('end', () => {
      const { method = '', url: target = '', httpVersion } = req;
      const headers = headerPairs(req.rawHeaders);
      const trailers = headerPairs(req.rawTrailers);
      const bodySha256 = hash.digest('hex');
      const echo = { method, target, httpVersion, headers, bodyLength, bodySha256, connection, trailers };
      this.#requests.push(echo);
      if (this.#requests.length > KEPT_REQUESTS) this.#requests.shift();
      then(echo);
    });
  }

  #answer(echo: EchoedRequest, res: ServerResponse): void {
    const path = echo.target.replace(/^https?:\/\/[^/]*/, '').replace(/\?.*$/, '');
    for (const [pattern, answer] of PATHS) {
      const match = pattern.exec(path);
      if (match !== null) {
        answer(res, Number(match[1]));
        return;
      }
    }
    send(res, 200, ['Content-Type', 'application/json'], `${JSON.stringify(echo, null, 2)}\n`);
  }

  /** Node gives every request with `Upgrade` to us, also those whose protocol is not spoken here. */
  #onUpgrade(req: IncomingMessage, socket: Socket, head: Buffer): void {
    const fields = switchProtocols(req.rawHeaders);
    this.#whole(req, (echo) => {
      if (fields === undefined) {
        const res = new ServerResponse(req);
        res.assignSocket(socket);
        // Its parser is gone, so nothing else can come on this connection.
        res.shouldKeepAlive = false;
        res.once('finish', () => socket.end());
        this.#answer(echo, res);
        return;
      }
      socket.write(responseHeadText('HTTP/1.1 101 Switching Protocols', fields), 'latin1');
      socket.write(head);
      socket.pipe(socket);
    });
    req.resume();
  }
}

/**
 * An HTTP/1.1 origin that answers every request with what reached it, as JSON ({@link EchoedRequest}). Upgrades to
 * `echo` and `websocket` get 101, and their bytes back. These paths answer otherwise:
 *
 * | path                    | answer                                                             |
 * |-------------------------|--------------------------------------------------------------------|
 * | `/size/N`, `/chunked/N` | N bytes, by length, or chunked with a trailer `X-Bytes: N`         |
 * | `/status/N`             | that status, 200 to 599                                            |
 * | `/407`                  | a 407 with a challenge, which no origin may send                   |
 * | `/hang`                 | nothing, ever                                                      |
 * | `/cut`                  | half of a body, then a reset                                       |
 *
 * Rejects with Node's error where the address cannot be had.
 */
export async function startOrigin(options: OriginOptions = {}): Promise<Origin> {
  const origin = new EchoingOrigin();
  await origin.listen(options.host ?? '127.0.0.1', options.port ?? 0);
  return origin;
}
