import type { Upstream } from './upstream.ts';

/** How long an upstream that could not be reached is tried last, in milliseconds. */
const DOWN_FOR = 30_000;

/**
 * Which of a route's upstreams comes first: in their order, those that could not be reached a moment ago last. Only a
 * connection that fails counts; a 407 or 403 is an answer.
 */
export class Failover {
  readonly #downUntil = new Map<string, number>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  order(upstreams: readonly Upstream[]): readonly Upstream[] {
    if (upstreams.length < 2 || this.#downUntil.size === 0) return upstreams;
    const now = this.#now();
    const down = (upstream: Upstream): boolean => (this.#downUntil.get(upstream.name) ?? 0) > now;
    return [...upstreams.filter((upstream) => !down(upstream)), ...upstreams.filter(down)];
  }

  failed(upstream: Upstream): void {
    this.#downUntil.set(upstream.name, this.#now() + DOWN_FOR);
  }

  reached(upstream: Upstream): void {
    if (this.#downUntil.size > 0) this.#downUntil.delete(upstream.name);
  }
}
