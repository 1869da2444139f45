import type { Logger } from '@chain407/core';
import { ConfigError } from '@chain407/core';
import { assemble } from './assemble.ts';
import type { DownstreamConfig } from './config.ts';
import type { Downstream } from './server.ts';
import { serve } from './server.ts';

export type { Account, SchemeChoice, SecretPort, Tickets } from './account/account.ts';
export { fixedSecret, SCHEME_CHOICES } from './account/account.ts';
export type { CredentialOptions } from './account/credentials.ts';
export { Credential } from './account/credentials.ts';
export type { Assembled } from './assemble.ts';
export { assemble } from './assemble.ts';
export type { DownstreamConfig } from './config.ts';
export { downstreamSchema } from './config.ts';
export { HopTls } from './hop/dial.ts';
export { loadKerberos } from './kerberos/load.ts';
export type { OneShotOutcome, OneShotRequest, OneShotResponse } from './one-shot.ts';
export { oneShot } from './one-shot.ts';
export { rescue } from './rescue.ts';
export type { Downstream } from './server.ts';
export { serve } from './server.ts';
export type { Upstream } from './upstream.ts';

/** Starts a downstream. Rejects with {@link ConfigError} where a secret is missing, with Node's error for the listener. */
export async function startDownstream(
  config: DownstreamConfig,
  { logger }: { readonly logger: Logger },
): Promise<Downstream> {
  if (config.workers !== 1) {
    const message = 'expected 1: workers are processes, which the command chain407 starts';
    throw new ConfigError([{ severity: 'error', path: 'workers', message }]);
  }
  const assembled = await assemble(config, logger);
  if (!assembled.ok) throw new ConfigError(assembled.problems);
  return serve(assembled.assembly, logger);
}
