/**
 * Header fields as they came on the wire: name, value, name, value … as in Node's `rawHeaders`. Order, case and
 * repeats survive; everything that reads or forwards headers works on this form.
 */
export type RawHeaders = readonly string[];

/**
 * Fields that concern one connection only (RFC 9110 §7.6.1), and `Trailer`, which describes a framing that each hop
 * makes anew. The proxy authentication fields are hop-by-hop by nature (§11.7): who relays them adds them back by name.
 */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-authentication-info',
  'proxy-support',
]);

/** All values of a field, one per line, in order. `name` is in lower case. */
export function valuesOf(headers: RawHeaders, name: string): string[] {
  const values: string[] = [];
  const { length } = name;
  for (let i = 0; i < headers.length; i += 2) {
    const field = headers[i] as string;
    if (field.length === length && field.toLowerCase() === name) values.push(headers[i + 1] as string);
  }
  return values;
}

/** The members of a comma-separated field over all its lines, in lower case, without empty ones. */
export function listOf(headers: RawHeaders, name: string): string[] {
  const list: string[] = [];
  for (const value of valuesOf(headers, name)) {
    for (const member of value.split(',')) {
      const text = member.trim().toLowerCase();
      if (text !== '') list.push(text);
    }
  }
  return list;
}

/** The lines of the fields called `names` (lower case), name and value, as they came. */
export function linesOf(headers: RawHeaders, names: ReadonlySet<string>): string[] {
  const lines: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const field = headers[i] as string;
    if (names.has(field.toLowerCase())) lines.push(field, headers[i + 1] as string);
  }
  return lines;
}

const NOTHING: ReadonlySet<string> = new Set();

/** A client that could have this taken away would have its body read as the next request. */
const FRAMING = 'content-length';

/**
 * What a proxy passes on: everything but the hop-by-hop fields, those that `Connection` names (never the framing of
 * the body), and `without` (lower case), which the caller writes itself.
 */
export function endToEnd(headers: RawHeaders, without: ReadonlySet<string> = NOTHING): string[] {
  const options = listOf(headers, 'connection').filter((name) => name !== FRAMING);
  const named = options.length === 0 ? NOTHING : new Set(options);
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const field = headers[i] as string;
    const name = field.toLowerCase();
    if (HOP_BY_HOP.has(name) || without.has(name) || named.has(name)) continue;
    kept.push(field, headers[i + 1] as string);
  }
  return kept;
}

/** A head as it goes on the wire: its first line, its fields, the empty line. */
export function formatHead(startLine: string, headers: RawHeaders): string {
  let head = `${startLine}\r\n`;
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${head}\r\n`;
}

/** The fields by which a connection changes its protocol, with those that `headers` name: made anew for each hop (RFC 9110 §7.8). */
export const upgradeFields = (headers: RawHeaders): string[] => [
  ...['Connection', 'Upgrade'],
  ...['Upgrade', valuesOf(headers, 'upgrade').join(', ')],
];

/** What a peer may send on 1xx, 204 and 2xx to CONNECT, and nobody may pass on (RFC 9110 §8.6). */
export const LENGTH: ReadonlySet<string> = new Set(['content-length']);

/** What a trailer section must not say (RFC 9110 §6.5.1): it comes too late for framing and routing. */
const NOT_IN_TRAILERS: ReadonlySet<string> = new Set(['content-length', 'host', 'content-type', 'content-encoding']);

/** The trailer fields that a proxy passes on. */
export const endToEndTrailers = (rawTrailers: RawHeaders): string[] => endToEnd(rawTrailers, NOT_IN_TRAILERS);

/** Name and value together, as `addTrailers` takes them. */
export function pairsOf(headers: RawHeaders): [name: string, value: string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < headers.length; i += 2) pairs.push([headers[i] as string, headers[i + 1] as string]);
  return pairs;
}
