import type { Socket } from 'node:net';
import { connect } from 'node:net';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import { connect as connectTls } from 'node:tls';
import type { ResponseContext, ResponseHead } from '@chain407/core';
import { MessageError, ResponseReader } from '@chain407/core';
import type { Closed } from './socket-bytes.ts';
import { SocketBytes } from './socket-bytes.ts';

/** A response that was read whole. After a 101 or a 2xx to CONNECT the body is empty and the tunnel's bytes follow. */
export interface RawResponse extends ResponseHead {
  readonly body: Buffer;
  /** Name, value, name, value … */
  readonly trailers: readonly string[];
  /** The status of each 1xx that came before. */
  readonly informational: readonly number[];
}

export interface RawOptions {
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** Milliseconds that one read may take before it fails with what has come so far. Default 5000. */
  readonly deadline?: number;
  /** Speaks TLS, with these options of Node. Default: it does not. */
  readonly tls?: TlsOptions;
}

const MAX_HEAD = 256 * 1024;
/** An error message shows this much of what was received. */
const SHOWN = 2000;

/**
 * A TCP connection on which a test writes what it likes. Every read waits for events and fails after a deadline, or when
 * the peer closes first, with what has been received so far.
 */
export class RawConnection {
  readonly socket: Socket;
  readonly #bytes: SocketBytes;
  readonly #deadline: number;
  #received: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket, deadline: number) {
    this.socket = socket;
    this.#bytes = new SocketBytes(socket);
    this.#deadline = deadline;
  }

  /** Connects; rejects with Node's error. The socket is half-open: it closes when both sides have ended. */
  static connect(port: number, options: RawOptions = {}): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const { host = '127.0.0.1', deadline = 5000, tls } = options;
      const address = { host, port, allowHalfOpen: true, noDelay: true };
      const socket = tls === undefined ? connect(address) : connectTls({ ...address, ...tls });
      socket.once('error', reject);
      socket.once(tls === undefined ? 'connect' : 'secureConnect', () => resolve(new RawConnection(socket, deadline)));
    });
  }

  /** Text is written as Latin-1. */
  write(bytes: string | Buffer): this {
    if (typeof bytes === 'string') this.socket.write(bytes, 'latin1');
    else this.socket.write(bytes);
    return this;
  }

  /** Ends our direction; the other stays open. */
  end(): this {
    this.socket.end();
    return this;
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Reads one response whole; what follows it stays for the next read. Say so where it answers HEAD, CONNECT or an Upgrade. */
  readResponse(request: Partial<ResponseContext> = {}): Promise<RawResponse> {
    const reader = new ResponseReader({ method: 'GET', upgrade: false, ...request }, MAX_HEAD);
    const informational: number[] = [];
    const body: Buffer[] = [];
    let head: ResponseHead | undefined;
    const read = (): RawResponse | undefined => {
      for (;;) {
        const event = reader.next();
        if (event.kind === 'need-data') return undefined;
        if (event.kind === 'informational') informational.push(event.head.status);
        else if (event.kind === 'head') head = event.head;
        else if (event.kind === 'data') body.push(event.data);
        else if (head !== undefined) {
          this.#received = Buffer.from(reader.rest);
          return { ...head, body: Buffer.concat(body), trailers: event.trailers, informational };
        }
      }
    };
    let pushed = 0;
    return this.#read('a whole response', (closed) => {
      reader.push(this.#received.subarray(pushed));
      pushed = this.#received.length;
      if (closed) reader.close();
      return read();
    });
  }

  /** Writes a whole request and reads its response; what it answers is seen from the request itself. */
  exchange(request: string): Promise<RawResponse> {
    const [method = ''] = request.split(' ', 1);
    return this.write(request).readResponse({ method, upgrade: /^connection:.*\bupgrade\b/im.test(request) });
  }

  /** Reads up to the end of the first `wanted` (of its first match) and returns all of that as Latin-1 text. */
  readUntil(wanted: string | RegExp): Promise<string> {
    return this.#read(`${wanted instanceof RegExp ? wanted : JSON.stringify(wanted)}`, () => {
      const text = this.#received.toString('latin1');
      const found = wanted instanceof RegExp ? wanted.exec(text) : { index: text.indexOf(wanted), 0: wanted };
      if (found === null || found.index < 0) return undefined;
      return this.#take(found.index + found[0].length).toString('latin1');
    });
  }

  /** Reads exactly `length` bytes. */
  readBytes(length: number): Promise<Buffer> {
    return this.#read(`${length} bytes`, () => (this.#received.length < length ? undefined : this.#take(length)));
  }

  /** Waits until the peer has closed and returns how; what it sent before is returned by {@link readRest}. */
  async closed(): Promise<Closed> {
    await this.#read('the peer to close', (closed) => (closed ? true : undefined));
    return this.#bytes.closed ?? 'end';
  }

  /** Everything until the peer closes. */
  readRest(): Promise<Buffer> {
    return this.#read('the peer to close', (closed) => (closed ? this.#take(this.#received.length) : undefined));
  }

  #take(length: number): Buffer {
    const taken = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return taken;
  }

  /** Tries `attempt` after each arrival until it returns something. */
  async #read<T>(wanted: string, attempt: (closed: boolean) => T | undefined): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, this.#deadline, 'late');
    });
    try {
      for (let closed = false; ; ) {
        const result = this.#try(wanted, closed, attempt);
        if (result !== undefined) return result;
        if (closed) throw new Error(this.#failure(wanted, `the peer closed (${this.#bytes.closed})`));
        const bytes = await Promise.race([this.#bytes.next(), late]);
        if (bytes === 'late') throw new Error(this.#failure(wanted, `nothing more came for ${this.#deadline} ms`));
        if (bytes === undefined) closed = true;
        else this.#received = Buffer.concat([this.#received, bytes]);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** What the reader refuses is shown with what it has read. */
  #try<T>(wanted: string, closed: boolean, attempt: (closed: boolean) => T | undefined): T | undefined {
    try {
      return attempt(closed);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      throw new Error(this.#failure(wanted, error.message), { cause: error });
    }
  }

  #failure(wanted: string, why: string): string {
    const text = this.#received.toString('latin1');
    const shown = text.length > SHOWN ? `${text.slice(0, SHOWN)}… (${text.length} bytes)` : text;
    return `waited for ${wanted}, but ${why}; received so far: ${JSON.stringify(shown)}`;
  }
}

/**
 * Writes `bytes` on a fresh connection and returns, as Latin-1 text, what came up to `until`: a text, a pattern, or, by
 * default, the peer's close.
 */
export async function rawExchange(
  port: number,
  bytes: string | Buffer,
  options: RawOptions & { readonly until?: string | RegExp } = {},
): Promise<string> {
  const connection = await RawConnection.connect(port, options);
  try {
    connection.write(bytes);
    if (options.until !== undefined) return await connection.readUntil(options.until);
    return (await connection.readRest()).toString('latin1');
  } finally {
    connection.destroy();
  }
}
