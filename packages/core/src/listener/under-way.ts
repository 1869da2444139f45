import { openFiles } from './open-files.ts';

/** The exchanges of one listener that are not over: each until its line is in the log, that of a tunnel when it has ended. */
export class UnderWay {
  #count = 0;
  #settle: (() => void) | undefined;

  /** `over` must not reject. */
  add(over: Promise<void>): void {
    this.#count += 1;
    openFiles.addExchanges(1);
    over.then(this.#onOver);
  }

  /** Resolves when there is none. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#settle = resolve;
      if (this.#count === 0) resolve();
    });
  }

  readonly #onOver = (): void => {
    this.#count -= 1;
    openFiles.addExchanges(-1);
    if (this.#count === 0) this.#settle?.();
  };
}
