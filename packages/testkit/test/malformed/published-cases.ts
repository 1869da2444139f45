import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Messages that others have published, from a folder outside of this repository: `CHAIN407_DATA`, with a file
 * `h1-messages.json`.
 */
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

const folder = process.env.CHAIN407_DATA ?? '';

/** None without the folder: {@link dataIsMissed} says whether that is meant. */
export function publishedCases(kind: PublishedCase['kind']): readonly PublishedCase[] {
  if (folder === '') return [];
  const { cases } = JSON.parse(readFileSync(join(folder, 'h1-messages.json'), 'utf8')) as { cases: PublishedCase[] };
  return cases.filter((row) => row.kind === kind);
}

/** True in CI where nobody has said, by an empty variable, that there is no data. */
export function dataIsMissed(): boolean {
  return !/^(?:|0|false)$/.test(process.env.CI ?? '') && process.env.CHAIN407_DATA === undefined;
}

/** Where we hold that a proxy need not refuse what is published, and why. */
export const NOT_REJECTED: ReadonlyMap<string, string> = new Map([
  [
    'ats/host/malformed-host',
    'in absolute-form its Host is a good one; RFC 9112 §3.2 is held by the other form, and by cases of our own',
  ],
  [
    'aiohttp/test_missing_host_header_rejected',
    'in absolute-form it has a Host; RFC 9112 §3.2 is held by the other form, and by a case of our own',
  ],
  ["aiohttp/test_bad_header_name/':'", 'RFC 9112 §5.1: the name ends at the first colon, and a value may hold others'],
]);

/** What is right by the letter and is refused all the same, and why. */
export const NOT_TAKEN: ReadonlyMap<string, string> = new Map(
  ['llhttp/request/invalid.md#L69', 'llhttp/request/invalid.md#L359'].map((id) => [
    id,
    'Node has a list of methods; RFC 9110 §9.1 lets a server refuse those that it does not know',
  ]),
);

/** Responses that must be refused, and that the parser of Node does not tell from good ones, and why that is no harm. */
export const READ_BY_NODE: ReadonlyMap<string, string> = new Map([
  [
    'llhttp/response/sample.md#L63',
    'ICE/1.1 is read as HTTP/1.1; what goes on is HTTP/1.1, framed in one way (RFC 9112 §6.3)',
  ],
]);
