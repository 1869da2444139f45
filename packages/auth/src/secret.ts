/** What is shown in place of a secret. */
export const MASK = '[secret]';

/**
 * A text that cannot be printed by accident: `toString`, `toJSON` and `util.inspect` show `[secret]`. Call
 * {@link Secret.reveal} where the bytes go on the wire or into a hash, and nowhere else.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  /** Same name as `util.inspect.custom`, without importing `node:util`. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return MASK;
  }
}
