/** So many before others have their turn. */
const FEW = 50;

/** Does what may come by the thousand a little at a time, in order, so that what else there is to do does not wait for all of it. */
export class FewAtATime<T> {
  readonly #act: (item: T) => void;
  #waiting: T[] = [];

  constructor(act: (item: T) => void) {
    this.#act = act;
  }

  add(item: T): void {
    this.#waiting.push(item);
    if (this.#waiting.length === 1) setImmediate(this.#next);
  }

  readonly #next = (): void => {
    const now = this.#waiting.slice(0, FEW);
    this.#waiting = this.#waiting.slice(FEW);
    for (const item of now) this.#act(item);
    if (this.#waiting.length > 0) setImmediate(this.#next);
  };
}
