/** What the report tells, beside much else. */
interface Limits {
  readonly userLimits?: { readonly open_files?: { readonly soft?: number | 'unlimited' } };
}

let known: number | undefined;

/** File descriptors, and so connections, that this process may have open; Node has raised that as far as it may. */
export function maxOpenFiles(): number {
  known ??= ask();
  return known;
}

function ask(): number {
  const { report } = process as { report?: NodeJS.ProcessReport & { excludeNetwork?: boolean } };
  if (report === undefined) return Number.POSITIVE_INFINITY;
  // Otherwise it looks up the names of all peers.
  const { excludeNetwork = false } = report;
  report.excludeNetwork = true;
  // The types say that it is text; it is an object.
  const { userLimits } = report.getReport() as unknown as Limits;
  report.excludeNetwork = excludeNetwork;
  const most = userLimits?.open_files?.soft;
  return typeof most === 'number' ? most : Number.POSITIVE_INFINITY;
}
