const EMPTY = Buffer.alloc(0);

/**
 * Bytes that have come and are not read yet. A peer chooses how it cuts them: appending copies each byte a bounded number
 * of times, and looking for `delimiter` goes on where it left off, so that no cut costs more than linear time.
 */
export class ReceiveBuffer {
  readonly #delimiter: Buffer;
  #storage: Buffer = EMPTY;
  #start = 0;
  #end = 0;
  #searched = 0;

  constructor(delimiter: Buffer) {
    this.#delimiter = delimiter;
  }

  get length(): number {
    return this.#end - this.#start;
  }

  push(bytes: Buffer): void {
    if (this.length === 0) {
      // The usual case, one piece read to its end: nothing is copied.
      this.#reset(bytes);
      return;
    }
    if (this.#end + bytes.length > this.#storage.length) {
      // What was taken points into the old storage: it is left behind, never moved.
      const grown = Buffer.allocUnsafe(2 * (this.length + bytes.length));
      this.#storage.copy(grown, 0, this.#start, this.#end);
      this.#searched -= this.#start;
      this.#end -= this.#start;
      this.#start = 0;
      this.#storage = grown;
    }
    this.#end += bytes.copy(this.#storage, this.#end);
  }

  /** Everything that is left; stays there. */
  peek(): Buffer {
    return this.#storage.subarray(this.#start, this.#end);
  }

  /** The first `length` bytes, or fewer where there are fewer. */
  take(length: number): Buffer {
    const until = Math.min(this.#start + length, this.#end);
    const taken = this.#storage.subarray(this.#start, until);
    this.#start = until;
    this.#searched = until;
    if (this.#start === this.#end) this.#reset(EMPTY);
    return taken;
  }

  /** How many bytes come before the delimiter; -1 where it has not come. */
  find(): number {
    const found = this.peek().indexOf(this.#delimiter, this.#searched - this.#start);
    if (found < 0) this.#searched = Math.max(this.#start, this.#end - this.#delimiter.length + 1);
    return found;
  }

  // Storage that nothing is appended to any more: a peer's piece is never written into.
  #reset(bytes: Buffer): void {
    this.#storage = bytes;
    this.#start = 0;
    this.#end = bytes.length;
    this.#searched = 0;
  }
}
