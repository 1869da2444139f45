/** What is to be thrown away when nobody waits for it any more. */
export interface Holdable {
  destroy(): void;
}

/**
 * The client's going away, as the work for it sees it: whatever is held at that moment is destroyed, and nothing new is
 * begun. Like an `AbortController`, without its cost per request.
 */
export class Cancellation {
  #cancelled = false;
  #held: Holdable | undefined;

  get cancelled(): boolean {
    return this.#cancelled;
  }

  cancel(): void {
    this.#cancelled = true;
    this.#held?.destroy();
    this.#held = undefined;
  }

  /** From now on this is what a cancellation destroys, in place of what was held before. */
  hold(thing: Holdable): void {
    this.#held = thing;
    if (this.#cancelled) thing.destroy();
  }

  /** It belongs to somebody else now. */
  release(): void {
    this.#held = undefined;
  }
}
