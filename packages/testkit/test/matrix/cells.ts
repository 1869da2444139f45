/** The axes of the matrix: every combination is a cell, none is left out. */
export const CLIENTS = ['none', 'good', 'wrong'] as const;
export const IDENTITIES = ['relay', 'substitute', 'relay-else-substitute', 'none'] as const;
export const REQUESTS = ['GET', 'POST', 'CONNECT', 'Upgrade'] as const;
const UPSTREAMS = ['anonymous', 'basic', 'not permitted'] as const;

export interface Cell {
  readonly client: (typeof CLIENTS)[number];
  readonly identity: (typeof IDENTITIES)[number];
  readonly request: (typeof REQUESTS)[number];
  readonly upstream: (typeof UPSTREAMS)[number];
}

export const CELLS: readonly Cell[] = UPSTREAMS.flatMap((upstream) =>
  IDENTITIES.flatMap((identity) =>
    CLIENTS.flatMap((client) => REQUESTS.map((request) => ({ client, identity, request, upstream }))),
  ),
);

export const nameOf = ({ upstream, identity, client, request }: Cell): string =>
  `upstream ${upstream}, identity ${identity}, client credentials ${client}: ${request}`;

/** Whose credentials reach the upstream in the end, and whether they are right. */
function effective({ client, identity }: Cell): 'none' | 'good' | 'wrong' {
  if (identity === 'none') return 'none';
  if (identity === 'substitute') return 'good';
  return identity === 'relay' || client !== 'none' ? client : 'good';
}

/**
 * The status that the client must get, from the rules of the design alone: a transcript shows what the chain does, this
 * says what it has to do.
 */
export function expectedStatus(cell: Cell): number {
  const success = cell.request === 'Upgrade' ? 101 : 200;
  if (cell.upstream === 'anonymous') return success;
  if (effective(cell) !== 'good') return 407;
  return cell.upstream === 'basic' ? success : 403;
}

/** The legs from the downstream to the upstream that the design allows for the cell. */
export function expectedLegs(cell: Cell): string[] {
  const last = String(expectedStatus(cell));
  const asked = '407 Basic';
  if (cell.upstream === 'anonymous') return [last];
  const own = cell.identity === 'substitute' || (cell.identity === 'relay-else-substitute' && cell.client === 'none');
  // Ours are found out about first; the client's go with the first leg, and a 407 goes back to the client.
  return own ? [asked, last] : [last === '407' ? asked : last];
}
