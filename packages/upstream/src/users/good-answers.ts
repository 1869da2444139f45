import { createHmac, randomBytes } from 'node:crypto';
import type { MaybePromise } from '@chain407/auth';
import { isPromise, whenSettled } from '@chain407/auth';

/** Milliseconds that a good answer counts; precedent: Squid's `credentialsttl`, which users set to minutes. */
export const GOOD_FOR = 60_000;
const MAX_REMEMBERED = 10_000;

interface Remembered<T> {
  readonly answer: T;
  readonly until: number;
}

/**
 * Remembers good answers to costly questions for a minute; others never. A question may hold a password: only a keyed
 * hash of it is kept. The same question asked twice at once is answered once.
 */
export class GoodAnswers<T> {
  readonly #isGood: (answer: T) => boolean;
  readonly #now: () => number;
  readonly #key = randomBytes(32);
  readonly #good = new Map<string, Remembered<T>>();
  readonly #asked = new Map<string, Promise<T>>();

  /** `now` in milliseconds. */
  constructor(isGood: (answer: T) => boolean, now: () => number) {
    this.#isGood = isGood;
    this.#now = now;
  }

  /** The answer to a question in parts: at once where it is remembered, else what `ask` says. */
  answer(question: readonly string[], ask: () => MaybePromise<T>): MaybePromise<T> {
    const key = this.#keyOf(question);
    const known = this.#good.get(key);
    if (known !== undefined && known.until > this.#now()) return known.answer;
    const asked = this.#asked.get(key);
    if (asked !== undefined) return asked;
    const settled = whenSettled(ask(), (answer) => this.#settle(key, answer));
    if (!isPromise(settled)) return settled;
    const pending = settled.finally(() => this.#asked.delete(key));
    this.#asked.set(key, pending);
    return pending;
  }

  /** With the length of each part: `a` and `b:c` are not `a:b` and `c`. */
  #keyOf(question: readonly string[]): string {
    const hash = createHmac('sha256', this.#key);
    for (const part of question) hash.update(`${part.length}:${part}:`);
    return hash.digest('base64');
  }

  #settle(key: string, answer: T): T {
    if (!this.#isGood(answer)) return answer;
    this.#good.delete(key);
    this.#good.set(key, { answer, until: this.#now() + GOOD_FOR });
    if (this.#good.size > MAX_REMEMBERED) this.#good.delete(this.#good.keys().next().value as string);
    return answer;
  }
}
