/**
 * What is fuzzed, in order. `samples` are inputs that are good; `feed` takes bytes, and throws where a promise was broken:
 * nothing that comes over the wire may make a parser throw, but for the error that says that it is malformed.
 */
export const TARGETS = [];
export const target = (name, samples, feed) => TARGETS.push({ name, samples, feed });

export const text = (bytes) => bytes.toString('latin1');
