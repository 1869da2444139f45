/** Random bytes of the given number, fit for keys: `crypto.randomBytes`, or a fixed sequence in a test. */
export type Entropy = (bytes: number) => Uint8Array;

/** Milliseconds since 1970: `Date.now`, or a fixed time in a test. */
export type Clock = () => number;
