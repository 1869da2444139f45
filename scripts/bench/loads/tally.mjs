/** Counts what a load has done: units, how long each took, and what went wrong. */
export class Tally {
  #times = [];
  #errors = 0;
  #first;
  #began = performance.now();

  get units() {
    return this.#times.length;
  }

  /** @param {number} milliseconds */
  done(milliseconds) {
    this.#times.push(milliseconds);
  }

  /** @param {string} reason */
  failed(reason) {
    this.#errors += 1;
    this.#first ??= reason;
  }

  get errors() {
    return this.#errors;
  }

  /** @param {number} [weight] units of each thing that was done; default: 1 */
  result(weight = 1) {
    const sorted = Float64Array.from(this.#times).sort();
    const percentile = (part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
    return {
      units: sorted.length * weight,
      seconds: (performance.now() - this.#began) / 1000,
      errors: this.#errors,
      first: this.#first,
      p50: percentile(0.5),
      p99: percentile(0.99),
    };
  }
}

/** More errors than this end a load at once: it counts for nothing anyway. */
const ENOUGH_ERRORS = 20;

/**
 * Does the same so many times at once, again and again, until the time is over.
 *
 * @param {{ seconds: number, concurrency: number, weight?: number }} options
 * @param {() => Promise<void>} once
 */
export async function repeat({ seconds, concurrency, weight }, once) {
  const tally = new Tally();
  const end = performance.now() + seconds * 1000;
  const lane = async () => {
    do {
      const at = performance.now();
      try {
        await once();
        tally.done(performance.now() - at);
      } catch (error) {
        tally.failed(error.message);
      }
    } while (performance.now() < end && tally.errors < ENOUGH_ERRORS);
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  return tally.result(weight);
}
