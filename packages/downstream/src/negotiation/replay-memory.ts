/** Memory for request bodies that may have to be sent again, of all exchanges together; sizes in bytes. */
export class ReplayMemory {
  /** At most of one body. */
  readonly perBody: number;
  readonly #inAll: number;
  #used = 0;

  constructor({ replayBody, replayMemory }: { readonly replayBody: number; readonly replayMemory: number }) {
    this.perBody = replayBody;
    this.#inAll = replayMemory;
  }

  get used(): number {
    return this.#used;
  }

  /** Takes `bytes` more, or nothing where that is more than there is. Who takes gives back, by {@link release}. */
  reserve(bytes: number): boolean {
    if (this.#used + bytes > this.#inAll) return false;
    this.#used += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#used -= bytes;
  }
}
