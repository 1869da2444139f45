import { settled } from './census.ts';
import type { TierUnderTest } from './tier.ts';

/** What an exchange has left behind, once all is quiet; `undefined`: nothing. */
export async function leftovers(
  tier: TierUnderTest,
  hop: { readonly connections: number },
): Promise<string | undefined> {
  const quiet = (): boolean => tier.connections === 0 && hop.connections <= (tier.resting ?? 1);
  await settled(() => quiet() && tier.held === undefined);
  if (!quiet())
    return `${tier.connections} connections of clients, ${hop.connections} to the hop, ${tier.resting} at rest`;
  return tier.held ?? tier.errors[0];
}
