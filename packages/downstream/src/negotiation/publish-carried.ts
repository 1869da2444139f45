import type { Leg, RawHeaders } from '@chain407/core';
import { publishLeg } from '@chain407/core';
import type { CarriedLeg } from './carrier.ts';

/** Of a leg that belongs to no client's exchange: who sends it, and what. */
export interface CarriedFacts extends Pick<Leg, 'by' | 'from' | 'to' | 'exchange' | 'method' | 'target'> {
  /** As they were sent; only called where somebody listens. */
  readonly headers: () => RawHeaders;
}

/** Publishes a leg that no exchange record writes down. */
export function publishCarried(
  { headers, ...facts }: CarriedFacts,
  { connection, at, ms, result }: Omit<CarriedLeg, 'standIn'>,
): void {
  publishLeg(
    (): Leg => ({
      ...{ ...facts, connection, at, ms },
      requestHeaders: headers(),
      responseHeaders: 'status' in result ? result.headers : [],
      ...('status' in result ? { status: result.status } : { error: result.code }),
    }),
  );
}
