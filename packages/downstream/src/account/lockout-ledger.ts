import { randomUUID, scryptSync } from 'node:crypto';
import type { Secret } from '@chain407/auth';
import type { StateStore } from '@chain407/core';

/** What was found out about a secret, by whichever process. */
interface LedgerEntry {
  readonly failures: number;
  /** Where it closed the guard: until when, in milliseconds since 1970, and why. */
  readonly closed?: { readonly until: number; readonly reason: string };
}

export type Trial =
  | { readonly kind: 'go'; readonly failures: number }
  | { readonly kind: 'closed'; readonly until: number; readonly reason: string };

/** What the guards of one secret in several processes have to agree on. */
export interface Ledger {
  /** Waits until nobody else is trying the secret. After `go` the trial is the caller's, until {@link Ledger.settle}. */
  begin(): Promise<Trial>;
  /** The trial is over. `undefined`: nothing was found out. */
  settle(found: LedgerEntry | undefined): void;
  /** Hears when another process has closed the guard, until the ledger is ended. */
  onClosed(listener: (closed: { readonly until: number; readonly reason: string }) => void): void;
  end(): void;
}

/** Milliseconds for which a trial is waited for, should whoever had it be gone without a word. */
const LEASE = 60_000;
/** Milliseconds after which it is looked at again, though nobody said that it is over. */
const LOOK_AGAIN = 1_000;
/** Milliseconds that an entry outlives its cool-down: what is known of a secret then is that one attempt is left. */
const KEPT = 24 * 3_600_000;

/**
 * Which secret an entry is about, so that a changed one starts anew. Slow to compute and short: who reads the store learns
 * that a secret was changed, and cannot tell from it which one it is.
 */
export function fingerprint(name: string, secrets: readonly Secret[]): string {
  const text = secrets.map((secret) => secret.reveal()).join('\0');
  return scryptSync(text, `chain407 lock-out of ${name}`, 4).toString('hex');
}

/** `key` names the account and its secret; `now`: milliseconds since 1970. */
export function storeLedger(store: StateStore, key: string, attempts: number, now: () => number): Ledger {
  const entryKey = `lockout:${key}`;
  const leaseKey = `${entryKey}:trial`;
  const ends: (() => void)[] = [];
  // Should the lease end before the trial does, the next one's is not taken for ours.
  const holder = randomUUID();

  /** Any news of the trial or its outcome, or a while. */
  const news = (): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => finish(), LOOK_AGAIN);
      const forget = store.subscribe(leaseKey, () => finish());
      const finish = (): void => {
        clearTimeout(timer);
        forget();
        resolve();
      };
    });

  const closedIn = (entry: LedgerEntry | undefined): Extract<Trial, { kind: 'closed' }> | undefined =>
    entry?.closed !== undefined && entry.closed.until > now() ? { kind: 'closed', ...entry.closed } : undefined;

  return {
    begin: async () => {
      for (;;) {
        const closed = closedIn(parse(await store.get(entryKey)));
        if (closed !== undefined) return closed;
        if (await store.add(leaseKey, holder, LEASE)) {
          // It may have come out between the two.
          const entry = parse(await store.get(entryKey));
          const late = closedIn(entry);
          if (late === undefined)
            return { kind: 'go', failures: entry?.closed ? attempts - 1 : (entry?.failures ?? 0) };
          await store.delete(leaseKey, holder);
          return late;
        }
        await news();
      }
    },
    settle: (found) => {
      void (async () => {
        const ttl = KEPT + Math.max(0, (found?.closed?.until ?? 0) - now());
        if (found?.failures === 0) await store.delete(entryKey);
        else if (found !== undefined) await store.set(entryKey, JSON.stringify(found), ttl);
        await store.delete(leaseKey, holder);
      })();
    },
    onClosed: (listener) => {
      const hear = (text: string | undefined): void => {
        const closed = parse(text)?.closed;
        if (closed !== undefined) listener(closed);
      };
      ends.push(store.subscribe(entryKey, hear));
    },
    end: () => {
      for (const end of ends.splice(0)) end();
    },
  };
}

/** Whatever else may stand there says nothing. */
function parse(text: string | undefined): LedgerEntry | undefined {
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as LedgerEntry | null;
    return typeof value?.failures === 'number' ? value : undefined;
  } catch {
    return undefined;
  }
}
