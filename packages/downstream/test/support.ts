import { setImmediate } from 'node:timers/promises';
import { Secret } from '@chain407/auth';
import { createLogger } from '@chain407/core';
import type { ScriptedUpstream, ScriptedUpstreamOptions } from '@chain407/testkit';
import { hangingPort, RawConnection, scriptedUpstream } from '@chain407/testkit';
import type { SchemeChoice } from '../src/account/account.ts';
import { fixedSecret } from '../src/account/account.ts';
import { Credential } from '../src/account/credentials.ts';
import { Failover } from '../src/failover.ts';
import { Pins } from '../src/hop/pins.ts';
import { Pool } from '../src/hop/pool.ts';
import type { ConnectionOptions } from '../src/hop/upstream-connection.ts';
import type { IdentityMode, RejectedPolicy } from '../src/identity.ts';
import { ReplayMemory } from '../src/negotiation/replay-memory.ts';
import type { Route } from '../src/routes.ts';
import type { Downstream } from '../src/server.ts';
import { serve } from '../src/server.ts';
import type { Upstream } from '../src/upstream.ts';

const opened: (() => unknown)[] = [];

/** What {@link cleanUp} closes, the last opened first. */
export function closeLater(close: () => unknown): void {
  opened.push(close);
}

/** For `afterEach`. */
export async function cleanUp(): Promise<void> {
  for (let close = opened.pop(); close !== undefined; close = opened.pop()) await close();
}

/** Turns the event loop until it holds: for what no event tells, as the number of sockets somewhere. */
export async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await setImmediate();
}

/** A promise and the means to settle it: for a hold that the test ends. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

export const basic = (userPass: string): string => `Basic ${Buffer.from(userPass).toString('base64')}`;
/** The credentials of the downstream, where a test does not give it others. */
export const GOOD = basic('alice:secret');

/** Accepts {@link GOOD} and nothing else. */
export const onlyGood: NonNullable<ScriptedUpstreamOptions['accept']> = (credentials) =>
  credentials === GOOD ? 'accept' : 'reject';

export async function scripted(options: ScriptedUpstreamOptions = { accept: onlyGood }): Promise<ScriptedUpstream> {
  const upstream = await scriptedUpstream(options);
  closeLater(() => upstream.close());
  return upstream;
}

export async function client(port: number): Promise<RawConnection> {
  const connection = await RawConnection.connect(port);
  closeLater(() => connection.destroy());
  return connection;
}

/** A request head; `fields` are whole lines. */
export const get = (target = 'http://origin.test/', ...fields: string[]): string => request('GET', target, ...fields);

export function request(method: string, target: string, ...fields: string[]): string {
  const authority = method === 'CONNECT' ? target : new URL(target).host;
  return `${[`${method} ${target} HTTP/1.1`, `Host: ${authority}`, ...fields].join('\r\n')}\r\n\r\n`;
}

export const post = (body: string, ...fields: string[]): string =>
  `${request('POST', 'http://origin.test/', `Content-Length: ${body.length}`, ...fields)}${body}`;

/** `body` in chunks of `size` bytes. */
export function postChunked(body: string, size = 16_384, trailers: readonly string[] = []): string {
  let text = request('POST', 'http://origin.test/', 'Transfer-Encoding: chunked');
  for (let i = 0; i < body.length; i += size) {
    const piece = body.slice(i, i + size);
    text += `${piece.length.toString(16)}\r\n${piece}\r\n`;
  }
  return `${text}0\r\n${trailers.map((line) => `${line}\r\n`).join('')}\r\n`;
}

/** The value of the first field called so, in any letter case. */
export function fieldOf({ headers }: { readonly headers: readonly string[] }, name: string): string | undefined {
  return headers.find((_text, i) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === name.toLowerCase());
}

export interface RunOptions {
  /** Ports of 127.0.0.1, tried in this order; they are called `up1`, `up2` … */
  readonly upstreams?: readonly number[];
  readonly identity?: IdentityMode;
  readonly rejected?: RejectedPolicy;
  /** Of alice. Default `secret`; `undefined`: the upstreams are given no credentials. */
  readonly password?: string | undefined;
  /** Where the credentials may go. Default anywhere. */
  readonly mayGoTo?: Credential['mayGoTo'];
  readonly attempts?: number;
  readonly cooldown?: number;
  readonly now?: () => number;
  readonly spare?: number;
  readonly replayBody?: number;
  readonly replayMemory?: number;
  /** Default: Basic alone. */
  readonly schemes?: readonly SchemeChoice[];
  readonly limits?: Partial<ConnectionOptions>;
}

export interface RunningDownstream extends Downstream {
  /** What was logged, parsed. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  readonly pool: Pool;
  readonly replayMemory: ReplayMemory;
  readonly credential: Credential | undefined;
}

const LIMITS = { connectTimeout: 5000, responseTimeout: 5000, headerSize: 65_536, headerCount: 1000 };
const LISTENER_LIMITS = {
  ...{ headerSize: 65_536, headerCount: 1000, connections: 1000, connectionsPerClient: 0 },
  ...{ headerTimeout: 15_000, idleTimeout: 60_000, halfCloseTimeout: 1, drain: 1000 },
};

/** 127.0.0.1 and an origin called `up1` are reached directly, `denied.test` not at all, everything else through the upstreams. */
export async function run(options: RunOptions = {}): Promise<RunningDownstream> {
  const { upstreams = [], identity = 'substitute', rejected = '407', now = Date.now } = options;
  const replayMemory = new ReplayMemory({ replayBody: 65_536, replayMemory: 1024 * 1024, ...options });
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger('trace', { write: (line: string) => void lines.push(JSON.parse(line)) });
  const password = 'password' in options ? options.password : 'secret';
  const credential =
    password === undefined
      ? undefined
      : new Credential({
          name: 'corp',
          account: { username: 'alice', password: fixedSecret(new Secret(password)) },
          schemes: options.schemes ?? ['basic'],
          mayGoTo: options.mayGoTo ?? (() => true),
          lockout: {
            attempts: options.attempts ?? 1,
            cooldown: options.cooldown ?? 60_000,
            now,
            onChange: ({ phase }) => logger.warn({ credential: 'corp' }, phase),
          },
        });
  const limits = { ...LIMITS, ...options.limits };
  const via: readonly Upstream[] = upstreams.map((port, i) => ({
    name: `up${i + 1}`,
    connection: { host: '127.0.0.1', ...limits, port },
    idleTimeout: 5000,
    spare: options.spare ?? 0,
    credential,
  }));
  const to = (name: string, kind: 'direct' | 'deny'): Route => ({
    matches: (host) => host === name,
    via: { kind },
    identity,
  });
  const pool = new Pool();
  const downstream = await serve(
    {
      listen: { host: '127.0.0.1', port: 0, tls: undefined },
      limits: LISTENER_LIMITS,
      admits: () => true,
      routes: [
        to('127.0.0.1', 'direct'),
        to('up1', 'direct'),
        to('denied.test', 'deny'),
        { matches: () => true, via: { kind: 'upstreams', upstreams: via }, identity },
      ],
      direct: { ...limits, idleTimeout: 5000 },
      runtime: {
        rejected,
        replayMemory,
        tunnel: { idleTimeout: 60_000, halfCloseTimeout: 5000 },
        pool,
        pins: new Pins(now),
        failover: new Failover(now),
      },
      close: () => credential?.close(),
    },
    logger,
  );
  closeLater(() => downstream.kill());
  const { url, port, pseudonym } = downstream;
  return {
    ...{ url, port, pseudonym, lines, pool, replayMemory, credential },
    get connections() {
      return downstream.connections;
    },
    close: () => downstream.close(),
    kill: () => downstream.kill(),
  };
}

/** A port of `hangingPort` of the testkit, until the end of the test. */
export async function hanging(): Promise<number> {
  const { port, close } = await hangingPort();
  closeLater(close);
  return port;
}
