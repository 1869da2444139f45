import type { IncomingMessage } from 'node:http';
import { request } from 'node:http';
import type { ResponseContext } from '@chain407/core';
import { serve } from './raw.ts';

/** What Node's own client makes of bytes; `undefined` where it refuses them. Text is Latin-1. */
export interface NodeResponse {
  readonly version: string;
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly string[];
  readonly informational: readonly number[];
  readonly body: string;
  readonly trailers: readonly string[];
  /** What came after the head of a tunnel. */
  readonly rest: string;
}

/** Node's client, to be given responses. */
export interface NodeResponseReader {
  readonly read: (bytes: Buffer, context: ResponseContext) => Promise<NodeResponse | undefined>;
  readonly stop: () => void;
}

const HEAD_END = '\r\n\r\n';

/** A server that answers every connection with the bytes that stand next, and ends. */
export async function nodeReader(): Promise<NodeResponseReader> {
  let answer: Buffer = Buffer.alloc(0);
  const { port, stop } = await serve((socket) => {
    let head = '';
    socket.on('data', (bytes) => {
      head += bytes.toString('latin1');
      if (head.endsWith(HEAD_END)) socket.end(answer);
    });
  });
  const read = (bytes: Buffer, context: ResponseContext): Promise<NodeResponse | undefined> => {
    answer = bytes;
    return readWithNode(port, context);
  };
  return { read, stop };
}

function readWithNode(port: number, { method, upgrade }: ResponseContext): Promise<NodeResponse | undefined> {
  return new Promise((resolve) => {
    const informational: number[] = [];
    const offer = upgrade ? { connection: 'upgrade', upgrade: 'x' } : {};
    const sent = request({
      ...{ host: '127.0.0.1', port, method, agent: false, maxHeaderSize: 65_536, insecureHTTPParser: false },
      ...{ path: method === 'CONNECT' ? 'a:1' : '/', headers: offer },
    });
    const readHead = (res: IncomingMessage): Omit<NodeResponse, 'body' | 'trailers' | 'rest'> => ({
      ...{ version: res.httpVersion, status: res.statusCode ?? 0, reason: res.statusMessage ?? '' },
      ...{ headers: res.rawHeaders, informational },
    });
    const tunnel = (res: IncomingMessage, socket: NodeJS.ReadableStream, head: Buffer): void => {
      const pieces = [head];
      socket.on('error', () => resolve(undefined));
      socket.on('data', (bytes: Buffer) => pieces.push(bytes));
      socket.on('end', () => {
        sent.destroy();
        resolve({ ...readHead(res), body: '', trailers: [], rest: Buffer.concat(pieces).toString('latin1') });
      });
    };
    sent.on('information', ({ statusCode }) => informational.push(statusCode));
    sent.on('upgrade', tunnel);
    sent.on('connect', tunnel);
    sent.on('error', () => resolve(undefined));
    sent.on('response', (res) => {
      let body = '';
      res.setEncoding('latin1');
      res.on('error', () => resolve(undefined));
      res.on('data', (text: string) => {
        body += text;
      });
      res.on('close', () => {
        resolve(res.complete ? { ...readHead(res), body, trailers: res.rawTrailers, rest: '' } : undefined);
      });
    });
    sent.end();
  });
}
