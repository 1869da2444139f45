import { createLogger } from '@chain407/core';
import { assemble as assembleDownstream, downstreamSchema, serve as serveDownstream } from '@chain407/downstream';
import { assemble as assembleUpstream, serve as serveUpstream, upstreamSchema } from '@chain407/upstream';

/** What a test needs of a tier that runs. */
export interface TierUnderTest {
  readonly port: number;
  readonly connections: number;
  /** Connections to the next hop that wait for another exchange; `undefined`: it does not tell. */
  readonly resting: number | undefined;
  /** What is held that no exchange needs any more, or counts against the credentials, in words. */
  readonly held: string | undefined;
  /** Of level `error`: each is a bug. */
  readonly errors: readonly string[];
  /** Knows nothing of the next hop any more, and has no connection to it. */
  forget(): void;
  close(): Promise<void>;
}

const limits = (timeout: string) => ({
  // Who ends its direction inside of an exchange is gone at once.
  ...{ connectTimeout: '2s', drain: '2s', halfCloseTimeout: '1ms' },
  ...{ headerTimeout: timeout, responseTimeout: timeout, tunnelIdleTimeout: timeout },
});

export interface DownstreamFacts {
  /** Of the credentials; `none`: it has none. */
  readonly scheme: string;
  readonly identity?: 'relay' | 'substitute';
  /** For a head, and without a byte of a body, of an answer or of a tunnel. */
  readonly timeout: string;
}

/** A downstream in front of the hop at `port`, which it knows nothing of yet. */
export async function downstreamTo(
  port: number,
  { scheme, identity = scheme === 'none' ? undefined : 'substitute', timeout }: DownstreamFacts,
): Promise<TierUnderTest> {
  const secret =
    scheme === 'bearer' ? { token: { value: 'token' } } : { username: 'alice', password: { value: 'secret' } };
  const own = identity === 'substitute';
  const config = downstreamSchema('/').parse({
    listen: '127.0.0.1:0',
    identity: identity ?? 'none',
    ...(own ? { credentials: { corp: { ...secret, schemes: [scheme] } } } : {}),
    upstreams: { hop: { url: `http://127.0.0.1:${port}`, spare: 0, ...(own ? { credentials: 'corp' } : {}) } },
    limits: { ...limits(timeout), replayBody: '1KiB' },
  });
  const { errors, logger } = listening();
  const assembled = await assembleDownstream(config, logger);
  if (!assembled.ok) throw new Error(JSON.stringify(assembled.problems));
  const { assembly } = assembled;
  const { pool, replayMemory } = assembly.runtime;
  const via = assembly.routes.at(-1)?.via;
  const credential = via?.kind === 'upstreams' ? via.upstreams[0]?.credential : undefined;
  const tier = await serveDownstream(assembly, logger);
  return {
    port: tier.port,
    errors,
    get connections() {
      return tier.connections;
    },
    get resting() {
      return pool.size;
    },
    get held() {
      if (replayMemory.used > 0) return `${replayMemory.used} bytes to be sent again`;
      const { state } = credential?.guard ?? { state: undefined };
      if (state === undefined || state.phase === 'good') return undefined;
      // A fault says nothing of a password (and nobody is left who would find out).
      return state.phase === 'unproven' && state.failures === 0 ? undefined : `the guard is ${JSON.stringify(state)}`;
    },
    forget: () => {
      pool.close();
      credential?.known.clear();
      credential?.guard.reopen();
    },
    close: () => tier.close(),
  };
}

/** An upstream that asks by `schemes`, or nobody; alice may use it with `secret`. */
export async function upstream(timeout: string, schemes: readonly string[] = []): Promise<TierUnderTest> {
  const config = upstreamSchema('/').parse({
    listen: '127.0.0.1:0',
    auth: schemes.length === 0 ? { anonymous: true } : { schemes },
    users: schemes.length === 0 ? [] : [{ name: 'alice', password: { value: 'secret' } }],
    private: 'allow',
    ports: { connect: ['1-65535'], any: ['1-65535'] },
    limits: limits(timeout),
  });
  const { errors, logger } = listening();
  const assembled = await assembleUpstream(config, logger);
  if (!assembled.ok) throw new Error(JSON.stringify(assembled.problems));
  const tier = await serveUpstream(assembled.assembly, logger);
  return {
    port: tier.port,
    errors,
    resting: undefined,
    held: undefined,
    get connections() {
      return tier.connections;
    },
    forget: () => undefined,
    close: () => tier.close(),
  };
}

function listening() {
  const errors: string[] = [];
  return { errors, logger: createLogger('error', { write: (line: string) => void errors.push(line) }) };
}
