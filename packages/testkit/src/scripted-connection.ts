import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { MessageError, parseAuthority, splice } from '@chain407/core';
import { ArrivingRequest } from './arriving-request.ts';
import { responseHeadText } from './message-text.ts';
import { RequestReader } from './request-reader.ts';
import type { ExchangePoint, Faults, Judgement, ScriptedManners, ScriptedRequest } from './scripted-options.ts';
import type { ScriptedResponse } from './scripted-response.ts';
import { scriptedResponse } from './scripted-response.ts';
import { SocketBytes } from './socket-bytes.ts';

/** The connection is over, by the peer or by a fault: nothing is left to do on it. */
class Ended extends Error {}

const NOTHING = Buffer.alloc(0);
const NO_TIMEOUTS = { idleTimeout: 0, halfCloseTimeout: 0 };
const ENDLESS_CHUNK = `1000\r\n${'.'.repeat(0x1000)}\r\n`;

/** One connection of a scripted upstream: reads requests in order and answers each in the manner of its faults. */
export class ScriptedConnection {
  readonly #socket: Socket;
  readonly #id: string;
  readonly #manners: ScriptedManners;
  readonly #onRequest: (request: ScriptedRequest) => void;
  readonly #bytes: SocketBytes;
  #reader = new RequestReader();
  #faults: Faults = {};
  #turns = 0;

  constructor(socket: Socket, id: string, manners: ScriptedManners, onRequest: (request: ScriptedRequest) => void) {
    this.#socket = socket;
    this.#id = id;
    this.#manners = manners;
    this.#onRequest = onRequest;
    this.#bytes = new SocketBytes(socket);
  }

  /** Serves until the connection is over. Rejects with what a function of the script throws. */
  async serve(): Promise<void> {
    try {
      while ((await this.#exchange()) === 'next-request');
    } catch (error) {
      if (error instanceof MessageError) this.#socket.end(responseHeadText('HTTP/1.1 400 Bad Request', []), 'latin1');
      else this.#socket.destroy();
      if (!(error instanceof Ended || error instanceof MessageError)) throw error;
    }
  }

  async #exchange(): Promise<ScriptedResponse['next']> {
    const request = await this.#readHead();
    const { faults } = this.#manners;
    this.#faults = typeof faults === 'function' ? faults(request) : faults;
    await this.#reach('request-head');
    const judgement = await this.#judge(request);
    const far = await this.#dial(request, judgement);
    const response = scriptedResponse(
      far === 'unreachable' ? { status: 502 } : judgement,
      request,
      this.#faults,
      this.#manners,
    );
    await this.#send(response);
    switch (response.next) {
      case 'next-request':
        await this.#readBody(request);
        break;
      case 'close':
        this.#socket.end();
        await this.#drop();
        break;
      case 'endless-body':
        for (;;) await this.#write(ENDLESS_CHUNK);
      case 'tunnel':
        this.#tunnel(typeof far === 'object' ? far : undefined);
    }
    return response.next;
  }

  async #judge(request: ArrivingRequest): Promise<Judgement> {
    const judge = (): Judgement | Promise<Judgement> => this.#manners.accept(request.credentials, request);
    const early = this.#faults.early407 === undefined ? undefined : await judge();
    if (early !== undefined && early !== 'accept') return early;
    if (request.awaitsContinue) await this.#write(responseHeadText('HTTP/1.1 100 Continue', []));
    await this.#readBody(request);
    await this.#reach('request');
    return early ?? judge();
  }

  async #readHead(): Promise<ArrivingRequest> {
    const { rest } = this.#reader;
    this.#reader = new RequestReader();
    this.#reader.push(rest);
    for (;;) {
      const event = this.#reader.next();
      if (event.kind === 'head') {
        this.#turns += 1;
        const request = new ArrivingRequest(this.#id, this.#turns, event.head);
        this.#onRequest(request);
        return request;
      }
      await this.#more();
    }
  }

  async #readBody(request: ArrivingRequest): Promise<void> {
    while (!request.complete) {
      const event = this.#reader.next();
      if (event.kind === 'data') request.add(event.data);
      else if (event.kind === 'end') request.end();
      else await this.#more();
    }
  }

  async #more(): Promise<void> {
    const bytes = await this.#bytes.next();
    if (bytes === undefined) throw new Ended();
    this.#reader.push(bytes);
  }

  /** Reads until the peer has closed. To close with unread bytes would reset, and could take a response along. */
  async #drop(): Promise<void> {
    while ((await this.#bytes.next()) !== undefined);
  }

  async #reach(point: ExchangePoint): Promise<void> {
    const { hold, cut } = this.#faults;
    if (hold?.at === point) await hold.until();
    if (cut?.at !== point) return;
    if (cut.by === 'close') this.#socket.end();
    else this.#socket.resetAndDestroy();
    await this.#drop();
    throw new Ended();
  }

  /** One segment, unless it was asked for in several or stops on its way. */
  async #send({ head, body }: ScriptedResponse): Promise<void> {
    const { hold, cut, segments } = this.#faults;
    const [inHead, inBody] = [head, body].map((text) => Math.floor(text.length / 2));
    let pending = '';
    for (const [text, point] of [
      [head.slice(0, inHead), 'response-head'],
      [head.slice(inHead), 'head-sent'],
      [body.slice(0, inBody), 'response-body'],
      [body.slice(inBody), 'response'],
    ] as const) {
      pending += text;
      const flush =
        point === 'response' ||
        point === hold?.at ||
        point === cut?.at ||
        (point === 'head-sent' && segments === 'head-and-body');
      if (!flush) continue;
      await this.#write(pending);
      pending = '';
      if (point === 'head-sent') await turnOfTheLoop();
      else await this.#reach(point);
    }
  }

  async #write(text: string): Promise<void> {
    const pieces = this.#faults.segments === 'bytes' ? text.split('') : [text];
    for (const piece of pieces) {
      await new Promise<void>((resolve, reject) => {
        this.#socket.write(piece, 'latin1', (error) => (error ? reject(new Ended()) : resolve()));
      });
      // Lets a peer in this process read it before the next one is there.
      if (pieces.length > 1) await turnOfTheLoop();
    }
  }

  /** The far end of a tunnel to the target itself, where that was asked for. */
  async #dial(request: ScriptedRequest, judgement: Judgement): Promise<Socket | 'unreachable' | 'none'> {
    const wanted = judgement === 'accept' && request.method === 'CONNECT' && this.#manners.tunnel === 'target';
    const port = wanted ? parseAuthority(request.target)?.port : undefined;
    if (port === undefined) return wanted ? 'unreachable' : 'none';
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    try {
      await once(socket, 'connect');
      return socket;
    } catch {
      return 'unreachable';
    }
  }

  #tunnel(far: Socket | undefined): void {
    const head = Buffer.concat([this.#reader.rest, this.#bytes.release()]);
    if (far !== undefined) {
      void splice({ socket: this.#socket, head }, { socket: far, head: NOTHING }, NO_TIMEOUTS);
      return;
    }
    this.#socket.write(head);
    // A client may have ended its direction before the tunnel was there; then no end will come.
    if (this.#bytes.closed === undefined) this.#socket.pipe(this.#socket);
    else this.#socket.end();
  }
}
