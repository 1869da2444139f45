import type { Secret } from '@chain407/auth';
import { MemoryStore } from './memory-store.ts';
import type { StateStore } from './state-store.ts';

export const MEMORY = 'memory:';

/** What `state.url` may be. */
export const isStateUrl = (url: string): boolean => url === MEMORY || /^rediss?:\/\/./.test(url);

/** The store that a configuration names. `log` hears when it cannot be reached, and when it can be again. */
export async function openStateStore(url: Secret, log: (message: string) => void): Promise<StateStore> {
  const text = url.reveal();
  if (text === MEMORY) return new MemoryStore(Date.now);
  // Loaded only where it is used: the client is larger than all of this package.
  const { RedisStore } = await import('./redis-store.ts');
  const store = new RedisStore(text, Date.now, log);
  await store.connect();
  return store;
}
