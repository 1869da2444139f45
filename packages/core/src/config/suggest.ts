import { distance } from 'fastest-levenshtein';

/** Beyond it nothing is a misspelling, and the distance would take long to tell. */
const MAX_LENGTH = 64;

/** The known key that was probably meant. */
export function suggest(written: string, known: readonly string[]): string | undefined {
  if (written.length > MAX_LENGTH) return undefined;
  const [best] = known
    .map((key) => ({ key, steps: distance(written.toLowerCase(), key.toLowerCase()) }))
    .sort((a, b) => a.steps - b.steps);
  return best !== undefined && best.steps <= Math.max(2, Math.floor(best.key.length / 3)) ? best.key : undefined;
}
