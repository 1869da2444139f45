import { createLogger } from '@chain407/core';
import { downstreamSchema, startDownstream } from '@chain407/downstream';
import { startUpstream, upstreamSchema } from '@chain407/upstream';

/** What a test needs of a tier that runs. */
export interface DrainedTier {
  readonly port: number;
  readonly connections: number;
  /** Log lines from level `warn`. */
  readonly lines: readonly string[];
  close(): Promise<void>;
}

type Start = (hop: number, limits: object) => Promise<DrainedTier>;

function listening() {
  const lines: string[] = [];
  return { lines, logger: createLogger('warn', { write: (line: string) => void lines.push(line) }) };
}

/** Each tier before the hop at a port, with limits. */
export const TIERS: { readonly downstream: Start; readonly upstream: Start } = {
  downstream: async (hop, limits) => {
    const { lines, logger } = listening();
    const upstreams = { hop: { url: `http://127.0.0.1:${hop}` } };
    const config = downstreamSchema('/').parse({ listen: '127.0.0.1:0', identity: 'none', upstreams, limits });
    return withLines(await startDownstream(config, { logger }), lines);
  },
  upstream: async (_hop, limits) => {
    const { lines, logger } = listening();
    const ports = { connect: ['1-65535'] };
    const given = { listen: '127.0.0.1:0', auth: { anonymous: true }, private: 'allow', ports, limits };
    return withLines(await startUpstream(upstreamSchema('/').parse(given), { logger }), lines);
  },
};

function withLines(tier: Awaited<ReturnType<typeof startUpstream>>, lines: readonly string[]): DrainedTier {
  return {
    port: tier.port,
    get connections() {
      return tier.connections;
    },
    lines,
    close: () => tier.close(),
  };
}
