import type { TunnelEnd } from '@chain407/core';

/** How an exchange that was let through ended. `failed`: nothing has been sent to the client yet. */
export type Outcome =
  | { readonly kind: 'answered' }
  | { readonly kind: 'tunnel'; readonly end: TunnelEnd }
  /** The response had begun when it broke; the client's connection was cut. */
  | { readonly kind: 'cut'; readonly error: Error }
  | { readonly kind: 'failed'; readonly error: Error }
  /** The client left first. */
  | { readonly kind: 'gone' };
