import type { LookupFunction, Socket } from 'node:net';
import { isIP } from 'node:net';
import type { ConnectionOptions as NodeTlsOptions } from 'node:tls';
import { connect as connectTls } from 'node:tls';
import { awaitsAddress, connectWithOwnBuffers, lookupName, openFiles } from '@chain407/core';
import type { Cancellation } from './cancellation.ts';
import { HOP_CODES, HopError } from './hop-error.ts';

/** Where the next hop is, and how it is reached: times in milliseconds. */
export interface HopAddress {
  readonly host: string;
  readonly port: number;
  /** For name, TCP and TLS together. */
  readonly connectTimeout: number;
  /** Where it speaks TLS. */
  readonly tls?: HopTls | undefined;
}

/** TLS to one next hop: whom it trusts, and the session that its last connection has left, for a shorter handshake. */
export class HopTls {
  readonly #options: NodeTlsOptions;
  #session: Buffer | undefined;

  /** `options`: Node's, without the address; `host` is the name that the certificate must have, unless they say another. */
  constructor(host: string, options: NodeTlsOptions) {
    // An address is no server name (RFC 6066 §3); the certificate is checked against it all the same.
    const servername = options.servername ?? (isIP(host) > 0 ? '' : host);
    this.#options = { ...options, servername, ALPNProtocols: ['http/1.1'] };
  }

  connect(address: object): Socket {
    const session = this.#session;
    const socket = connectTls({ ...address, ...this.#options, ...(session === undefined ? {} : { session }) });
    openFiles.addOutgoing(socket);
    // TLS 1.3 sends it after the handshake, and several times (RFC 8446 §4.6.1).
    socket.on('session', (fresh) => {
      this.#session = fresh;
    });
    return socket;
  }
}

/** One of several addresses of a name has this long, in milliseconds, before the next is tried (RFC 8305 §8: at most 2 s). */
const ATTEMPT_TIMEOUT = 1_000;

/**
 * Connects, with TLS where the address says so; rejects with {@link HopError}. `cancellation` gives up. `lookup` is another one in
 * tests alone.
 */
export function dial(
  { host, port, connectTimeout, tls }: HopAddress,
  cancellation: Cancellation,
  lookup: LookupFunction = lookupName,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const address = {
      host,
      port,
      lookup,
      allowHalfOpen: true,
      noDelay: true,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: ATTEMPT_TIMEOUT,
    };
    const socket = tls === undefined ? connectWithOwnBuffers(address) : tls.connect(address);
    const nameless = awaitsAddress(socket, host);
    cancellation.hold(socket);
    let settled = false;
    // Errors are made where they are needed: each of them looks at the stack.
    const fail = (code: string, message: string): void => {
      clearTimeout(timer);
      if (!settled) reject(new HopError('connect', code, message, true));
      settled = true;
    };
    const timer = setTimeout(() => {
      if (nameless()) fail(HOP_CODES.dnsTimeout, `no address in ${connectTimeout} ms`);
      else fail(HOP_CODES.connectTimeout, `no connection in ${connectTimeout} ms`);
      socket.destroy();
    }, connectTimeout);
    // Stays for the socket's whole life: after this function an error is told by 'close'.
    socket.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.name, error.message));
    // Destroyed without an error: cancelled.
    socket.on('close', () => fail(HOP_CODES.closed, 'the connection was closed'));
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      clearTimeout(timer);
      settled = true;
      resolve(socket);
    });
  });
}
