import type { DigestHash } from '@chain407/auth';
import { Secret } from '@chain407/auth';
import { linesOf, readText } from './text-file.ts';

export interface HtdigestLine {
  readonly name: string;
  readonly algorithm: DigestHash;
  readonly ha1: Secret;
}

export type ReadHtdigest =
  | { readonly ok: true; readonly lines: readonly HtdigestLine[] }
  | { readonly ok: false; readonly messages: readonly string[] };

// SHA-512-256 is as long as SHA-256 and cannot be told from it: SHA-256 is what is used.
const BY_LENGTH: ReadonlyMap<number, DigestHash> = new Map([
  [32, 'MD5'],
  [64, 'SHA-256'],
]);

/**
 * Reads an htdigest file: `name:realm:HA1` lines, `#` comments. Lines of other realms than `realm` are left out. Where a
 * name stands twice with hashes of one kind the first counts, as in Apache.
 */
export function readHtdigest(path: string, realm: string): ReadHtdigest {
  const read = readText(path);
  if (!read.ok) return { ok: false, messages: [read.message] };
  const found = new Map<string, HtdigestLine>();
  const realms = new Set<string>();
  const messages: string[] = [];
  for (const [number, text] of linesOf(read.text)) {
    const line = parseLine(text);
    if (line === undefined) {
      messages.push(
        `${path}:${number}: expected NAME:REALM:HASH with 32 (MD5) or 64 (SHA-256) hexadecimal digits, as \`chain407 hash\` and \`htdigest\` write it`,
      );
      continue;
    }
    realms.add(line.realm);
    const key = `${line.algorithm}:${line.name}`;
    if (line.realm === realm.normalize('NFC') && !found.has(key)) found.set(key, line);
  }
  if (messages.length > 0) return { ok: false, messages };
  if (found.size === 0 && realms.size > 0) return { ok: false, messages: [otherRealms(path, realm, realms)] };
  return { ok: true, lines: [...found.values()] };
}

/** A realm may hold colons, a name and a hash cannot. */
function parseLine(text: string): (HtdigestLine & { readonly realm: string }) | undefined {
  const [, name, realm, ha1] = /^([^:]+):(.+):([0-9a-f]+)$/i.exec(text.normalize('NFC')) ?? [];
  const algorithm = BY_LENGTH.get(ha1?.length ?? 0);
  if (name === undefined || realm === undefined || ha1 === undefined || algorithm === undefined) return undefined;
  return { name, realm, algorithm, ha1: new Secret(ha1.toLowerCase()) };
}

const MAX_NAMED = 5;

/** A hash holds its realm: it is of no use in another. */
function otherRealms(path: string, realm: string, found: ReadonlySet<string>): string {
  const named = [...found].slice(0, MAX_NAMED).map((name) => JSON.stringify(name));
  const more = found.size > MAX_NAMED ? ` and ${found.size - MAX_NAMED} others` : '';
  return `${path} has lines of the realm ${named.join(', ')}${more} only, and upstream.realm is ${JSON.stringify(realm)}: set it to theirs, or make the lines anew`;
}
