/** A header field: its name as it was on the wire, and its value. */
export type HeaderPair = readonly [name: string, value: string];

/** Pairs from Node's flat form (name, value, name, value …). */
export function headerPairs(rawHeaders: readonly string[]): HeaderPair[] {
  const pairs: HeaderPair[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) pairs.push([rawHeaders[i] ?? '', rawHeaders[i + 1] ?? '']);
  return pairs;
}
