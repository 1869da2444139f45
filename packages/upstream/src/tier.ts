import type { TunnelOptions } from '@chain407/core';
import type { OriginLimits } from './origin/origin-request.ts';

/** Stands in pages and `Proxy-Status`. */
export const TIER = 'chain407-upstream';

/** What every exchange of a running tier needs on its way to an origin. */
export interface Tier {
  /** The tier's name in `Via`. */
  readonly pseudonym: string;
  readonly limits: OriginLimits;
  readonly tunnel: TunnelOptions;
}
