import { publishedFile } from '../../auth/test/published-file.ts';

/** A message of HTTP/1 that others have published, and what they expect to come of it. */
export interface PublishedCase {
  readonly id: string;
  readonly kind: 'request' | 'response';
  readonly expect: 'must-reject' | 'must-not-desync' | 'may-accept';
  readonly rule: string;
  /** As a server gets it. */
  readonly rawB64: string;
  /** As a proxy gets it, where that is another form. */
  readonly proxyRawB64?: string | null;
}

/** None where there is no folder with them. */
export function publishedCases(kind: PublishedCase['kind']): readonly PublishedCase[] {
  const { cases } = (publishedFile('h1-messages.json') ?? { cases: [] }) as { cases: readonly PublishedCase[] };
  return cases.filter((row) => row.kind === kind);
}
