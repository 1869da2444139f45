import { ConfigError, configFromObject, LOG_LEVELS, validate } from '@chain407/core';
import type { DownstreamConfig } from '@chain407/downstream';
import { downstreamSchema } from '@chain407/downstream';
import type { UpstreamConfig } from '@chain407/upstream';
import { upstreamSchema } from '@chain407/upstream';
import { z } from 'zod';
import type { ChainConfig } from './chain-config.ts';
import { downstreamSection, upstreamSection } from './chain-config.ts';

/** Where the parts of a chain are that others must know. */
export interface ChainPlaces {
  readonly originPort: number;
  readonly upstreamUrl: string;
}

export interface CompleteChain {
  readonly log: { readonly level?: (typeof LOG_LEVELS)[number] | undefined };
  readonly downstream: DownstreamConfig;
  readonly upstream: UpstreamConfig;
}

/** The whole configuration of a chain. Throws {@link ConfigError} with every problem in it. */
export function completeChain(config: ChainConfig, { originPort, upstreamUrl }: ChainPlaces): CompleteChain {
  const tree = configFromObject({
    log: {},
    ...config,
    downstream: downstreamSection(config, upstreamUrl),
    upstream: upstreamSection(config, originPort),
  });
  const schema = z.strictObject({
    log: z.strictObject({ level: z.enum(LOG_LEVELS).optional() }),
    downstream: downstreamSchema(tree.baseDir),
    upstream: upstreamSchema(tree.baseDir),
  });
  const validated = validate(schema, tree);
  if (!validated.ok) throw new ConfigError(validated.problems);
  return validated.value;
}
