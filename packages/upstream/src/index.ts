import type { Logger, StateStore } from '@chain407/core';
import { ConfigError } from '@chain407/core';
import { assemble } from './assemble.ts';
import type { UpstreamConfig } from './config.ts';
import type { Upstream } from './server.ts';
import { serve } from './server.ts';

export type { Assembled } from './assemble.ts';
export { assemble } from './assemble.ts';
export type { UpstreamConfig } from './config.ts';
export { upstreamSchema } from './config.ts';
export type { Assembly, Upstream } from './server.ts';
export { serve } from './server.ts';
export { hashPassword, MAX_BCRYPT_PASSWORD } from './users/password-hash.ts';

/** Starts an upstream; `state` as in {@link assemble}. Rejects with {@link ConfigError} where users cannot be read, with Node's error for the listener. */
export async function startUpstream(
  config: UpstreamConfig,
  { logger, state }: { readonly logger: Logger; readonly state?: StateStore | undefined },
): Promise<Upstream> {
  const assembled = await assemble(config, logger, state);
  if (!assembled.ok) throw new ConfigError(assembled.problems);
  return serve(assembled.assembly, logger);
}
