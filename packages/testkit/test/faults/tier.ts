import { createLogger } from '@chain407/core';
import { downstreamSchema, startDownstream } from '@chain407/downstream';
import { startUpstream, upstreamSchema } from '@chain407/upstream';

/** What a test needs of a tier that runs. */
export interface TierUnderTest {
  readonly port: number;
  readonly connections: number;
  close(): Promise<void>;
}

const TIMES = { connectTimeout: '2s', drain: '2s', tunnelIdleTimeout: '2s' };
const logger = createLogger('silent');

/** A downstream in front of the hop at `port`, which it knows nothing of yet. */
export function downstreamTo(port: number, scheme: string, responseTimeout: string): Promise<TierUnderTest> {
  const secret =
    scheme === 'bearer' ? { token: { value: 'token' } } : { username: 'alice', password: { value: 'secret' } };
  const own = scheme === 'none' ? {} : { credentials: { corp: { ...secret, schemes: [scheme] } } };
  const config = downstreamSchema('/').parse({
    listen: '127.0.0.1:0',
    identity: scheme === 'none' ? 'none' : 'substitute',
    ...own,
    upstreams: {
      hop: { url: `http://127.0.0.1:${port}`, spare: 0, ...(scheme === 'none' ? {} : { credentials: 'corp' }) },
    },
    limits: { ...TIMES, responseTimeout, replayBody: '1KiB' },
  });
  return startDownstream(config, { logger });
}

/** An upstream that asks nobody. */
export function upstream(responseTimeout: string): Promise<TierUnderTest> {
  const config = upstreamSchema('/').parse({
    listen: '127.0.0.1:0',
    auth: { anonymous: true },
    private: 'allow',
    ports: { connect: ['1-65535'], any: ['1-65535'] },
    limits: { ...TIMES, responseTimeout },
  });
  return startUpstream(config, { logger });
}
