/** How far behind the highest count of a nonce a count may arrive: requests of one client overtake each other. */
const WINDOW = 1024;
/** Counts from here on pass for used: as a bitmap in Redis, one nonce takes 128 KiB at most. */
export const MAX_COUNT = 2 ** 20;
/** Nonces in all; beyond this the oldest is forgotten, and its counts pass for used. */
const MAX_NONCES = 100_000;

interface Seen {
  /** The highest count so far. */
  highest: number;
  /** Bit n of word w stands for the count (32 w + n) modulo {@link WINDOW}. */
  readonly bits: Uint32Array;
}

/**
 * Which counts were used with which nonce (RFC 7616 §3.4.5): a window that slides below the highest count of each, so
 * that a nonce costs the same however often it is used.
 */
export class NonceCounts {
  readonly #nonces = new Map<string, Seen & { readonly expires: number }>();
  readonly #now: () => number;

  /** `now`: milliseconds since 1970. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Nonces that have not expired. */
  get size(): number {
    this.#sweep();
    return this.#nonces.size;
  }

  /** True the first time that a count is used with a nonce, which need not be remembered after `expires`. */
  use(nonce: string, nc: number, expires: number): boolean {
    if (nc >= MAX_COUNT) return false;
    const seen = this.#nonces.get(nonce) ?? this.#begin(nonce, expires);
    if (nc <= seen.highest - WINDOW) return false;
    if (nc > seen.highest) clear(seen, nc);
    const [word, bit] = [(nc % WINDOW) >>> 5, 1 << (nc & 31)];
    const used = ((seen.bits[word] as number) & bit) !== 0;
    seen.bits[word] = (seen.bits[word] as number) | bit;
    return !used;
  }

  #begin(nonce: string, expires: number): Seen {
    const seen = { highest: 0, bits: new Uint32Array(WINDOW / 32), expires };
    this.#nonces.set(nonce, seen);
    this.#sweep();
    return seen;
  }

  /** All live equally long, so the oldest are in front. */
  #sweep(): void {
    const now = this.#now();
    for (const [nonce, { expires }] of this.#nonces) {
      if (expires > now && this.#nonces.size <= MAX_NONCES) return;
      this.#nonces.delete(nonce);
    }
  }
}

/** Moves the window up to `nc`: what enters it has not been used. */
function clear(seen: Seen, nc: number): void {
  if (nc - seen.highest >= WINDOW) seen.bits.fill(0);
  else
    for (let count = seen.highest + 1; count <= nc; count += 1) {
      const word = (count % WINDOW) >>> 5;
      seen.bits[word] = (seen.bits[word] as number) & ~(1 << (count & 31));
    }
  seen.highest = nc;
}
