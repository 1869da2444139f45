import { listOf, valuesOf } from '@chain407/core';
import type { HeaderPair } from './header-pairs.ts';
import { headerPairs } from './header-pairs.ts';
import type { RequestHead } from './request-reader.ts';
import type { ScriptedRequest } from './scripted-options.ts';

/** A request of a scripted upstream while it is being read: whoever holds it sees its body grow. */
export class ArrivingRequest implements ScriptedRequest {
  readonly connection: string;
  readonly turn: number;
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly headers: readonly HeaderPair[];
  readonly credentials?: string;
  /** The client waits for 100 before it sends the body (RFC 9110 §10.1.1). */
  readonly awaitsContinue: boolean;
  readonly #body: Buffer[] = [];
  #complete = false;

  constructor(connection: string, turn: number, head: RequestHead) {
    this.connection = connection;
    this.turn = turn;
    this.method = head.method;
    this.target = head.target;
    this.version = head.version;
    this.headers = headerPairs(head.rawHeaders);
    this.awaitsContinue = listOf(head.rawHeaders, 'expect').includes('100-continue');
    const [credentials] = valuesOf(head.rawHeaders, 'proxy-authorization');
    if (credentials !== undefined) this.credentials = credentials;
  }

  get body(): Buffer {
    return Buffer.concat(this.#body);
  }

  get complete(): boolean {
    return this.#complete;
  }

  add(bytes: Buffer): void {
    this.#body.push(bytes);
  }

  end(): void {
    this.#complete = true;
  }
}
