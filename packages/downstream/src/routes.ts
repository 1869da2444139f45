import type { IdentityMode } from './identity.ts';
import type { Upstream } from './upstream.ts';

/** Where requests to some destinations go. */
export interface Route {
  readonly matches: (host: string, port: number) => boolean;
  readonly via: Via;
  readonly identity: IdentityMode;
}

/** The upstreams in the order in which they are tried, the origin itself, or nowhere. */
export type Via =
  | { readonly kind: 'upstreams'; readonly upstreams: readonly Upstream[] }
  | { readonly kind: 'direct' }
  | { readonly kind: 'deny' };

/** The first route that matches; `routes` ends with one that matches everything. */
export function pickRoute(routes: readonly Route[], host: string, port: number): Route {
  const route = routes.find(({ matches }) => matches(host, port));
  if (route === undefined) throw new TypeError('no route matches everything');
  return route;
}
