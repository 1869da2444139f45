import type { Problem } from '@chain407/core';
import type { UpstreamConfig } from './config.ts';
import type { Assembly } from './server.ts';
import { loadUsers } from './users/load-users.ts';

export type Assembled =
  | { readonly ok: true; readonly assembly: Assembly }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** From a valid configuration to the parts that run: reads secrets and user files. */
export function assemble(config: UpstreamConfig): Assembled {
  const loaded = loadUsers(config.users, { realm: config.realm });
  return loaded.ok ? { ok: true, assembly: { config, users: loaded.users } } : loaded;
}
