/** The axes of the matrix by scheme: every combination is a cell, none is left out. */
const ALGORITHMS = ['MD5', 'MD5-sess', 'SHA-256', 'SHA-256-sess', 'SHA-512-256', 'SHA-512-256-sess'] as const;
/** Every scheme, Digest once for each algorithm. */
export const SCHEME_KINDS: readonly Pick<SchemeCell, 'scheme' | 'algorithm'>[] = [
  { scheme: 'basic' },
  ...ALGORITHMS.map((algorithm) => ({ scheme: 'digest', algorithm }) as const),
  { scheme: 'ntlm' },
  { scheme: 'negotiate' },
  { scheme: 'bearer' },
];
export const IDENTITIES = ['relay', 'substitute', 'relay-else-substitute'] as const;
export const REQUESTS = ['GET', 'POST', 'CONNECT'] as const;
/** Of the account that is under test: the client's in relay, else ours. */
export const ACCOUNTS = ['good', 'wrong', 'not permitted'] as const;

export interface SchemeCell {
  readonly scheme: 'basic' | 'digest' | 'ntlm' | 'negotiate' | 'bearer';
  /** Of Digest. */
  readonly algorithm?: (typeof ALGORITHMS)[number];
  readonly identity: (typeof IDENTITIES)[number];
  readonly request: (typeof REQUESTS)[number];
  readonly account: (typeof ACCOUNTS)[number];
}

export const SCHEME_CELLS: readonly SchemeCell[] = SCHEME_KINDS.flatMap((kind) =>
  IDENTITIES.flatMap((identity) =>
    ACCOUNTS.flatMap((account) => REQUESTS.map((request) => ({ ...kind, identity, request, account }))),
  ),
);

export const nameOfKind = ({ scheme, algorithm }: Pick<SchemeCell, 'scheme' | 'algorithm'>): string =>
  algorithm === undefined ? scheme : `${scheme} ${algorithm}`;

export const nameOfScheme = (cell: SchemeCell): string =>
  `${nameOfKind(cell)}, ${cell.identity}, ${cell.account}: ${cell.request}`;

/** The status that the client ends with. In `relay-else-substitute` it answers in place of ours once these were refused. */
export function expectedEnd({ account, identity }: SchemeCell): number {
  if (account === 'not permitted') return 403;
  return account === 'wrong' && identity !== 'relay-else-substitute' ? 407 : 200;
}

const SPELLED = { basic: 'Basic', digest: 'Digest', ntlm: 'NTLM', negotiate: 'Negotiate', bearer: 'Bearer' } as const;

/** What the upstream says to the downstream, leg by leg, as the design has it. */
export function expectedNegotiation(cell: SchemeCell): string[] {
  const { scheme, identity, request, account } = cell;
  const asked = `407 ${SPELLED[scheme]}`;
  const handshake = scheme === 'ntlm' || scheme === 'negotiate';
  /** From the first question to the answer to complete credentials. */
  const dialogue = (end: string): string[] => [asked, ...(handshake ? [asked] : []), end];
  const end = account === 'wrong' ? asked : account === 'good' ? '200' : '403';
  if (identity === 'relay') return dialogue(end);
  // A body that cannot be kept waits until a HEAD has found out that it will be taken.
  const waited = request === 'POST' && account !== 'wrong' ? [end] : [];
  const ours = [...dialogue(end), ...waited];
  // The client has heard the challenges with the refusal of ours, and answers.
  return account === 'wrong' && identity === 'relay-else-substitute'
    ? [...ours, ...(handshake ? [asked] : []), '200']
    : ours;
}
