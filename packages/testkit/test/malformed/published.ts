import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A message that others have published, with what a proxy must do with it. */
export interface PublishedMessage {
  readonly id: string;
  readonly kind: 'request' | 'response';
  readonly title: string;
  readonly expect: 'must-reject' | 'must-not-desync' | 'may-accept';
  readonly rule: string;
  /** Base64, as found; and in absolute-form with `__ORIGIN__` for the next hop, where it has a target that can be. */
  readonly rawB64: string;
  readonly proxyRawB64: string | null;
}

/** From `h1-messages.json` in the folder `CHAIN407_DATA`, outside of this repository; none where that is not set. */
export function publishedMessages(kind: PublishedMessage['kind']): readonly PublishedMessage[] {
  const folder = process.env.CHAIN407_DATA;
  // Who runs all of it says so by an empty one; forgetting it there would leave them out unseen.
  if (folder === undefined && process.env.CI === 'true')
    throw new Error('CI without CHAIN407_DATA: set it, or set it empty');
  if (folder === undefined || folder === '') return [];
  const { cases } = JSON.parse(readFileSync(join(folder, 'h1-messages.json'), 'utf8')) as {
    readonly cases: readonly PublishedMessage[];
  };
  return cases.filter((message) => message.kind === kind);
}

/** Where we hold what is published to be wrong of a proxy, and why; these must have one reading, as all others. */
export const NOT_REJECTED: ReadonlyMap<string, string> = new Map([
  ['ats/host/malformed-host', 'in absolute-form its Host is a good one; RFC 9112 §3.2 is held by a case of our own'],
  [
    'aiohttp/test_missing_host_header_rejected',
    'in absolute-form it has a Host; RFC 9112 §3.2 is held by a case of our own',
  ],
  [
    'llhttp/response/sample.md#L63',
    'Node reads ICE/1.1 as HTTP/1.1, and does not tell; what goes on is HTTP/1.1, framed in one way (RFC 9112 §6.3)',
  ],
  ["aiohttp/test_bad_header_name/':'", 'RFC 9112 §5.1: the name ends at the first colon, and a value may hold others'],
]);
