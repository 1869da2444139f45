import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CONTEXTS, compare } from './compare-with-node.ts';
import { publishedCases } from './h1-messages.ts';
import type { NodeResponseReader } from './node-response.ts';
import { nodeReader } from './node-response.ts';
import { GET } from './read-response.ts';

/**
 * As `response-differential.test.ts`, but with responses that nobody thought of: good and published ones, with a few changes
 * where it hurts. Whatever our reader takes of them, Node takes for the same.
 */
let node: NodeResponseReader;
beforeAll(async () => {
  node = await nodeReader();
});
afterAll(() => node.stop());

const SAMPLES: readonly string[] = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n5;a="b"\r\nhello\r\n0\r\nA: b\r\n\r\n',
  'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\nA: b\r\n\r\n',
  'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: "a"\r\n\r\n',
  'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nhello',
  'HTTP/1.1 407 x\r\nProxy-Authenticate: Basic realm="a"\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n',
];

/** What ends a line, a field, a chunk or a message, and what frames it. */
const INSERTED = [
  ...[
    '\r\n',
    '\n',
    '\r',
    '\0',
    ' ',
    '\t',
    ':',
    ';',
    ',',
    '=',
    '"',
    '\\',
    '\x7f',
    '\x80',
    '\xff',
    '0',
    '1',
    'a',
    '+',
    '-',
  ],
  ...[
    '\r\n\r\n',
    '\r\n ',
    'Content-Length: 5\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Connection: close\r\n',
    'A: b\r\n',
  ],
  ...[
    'chunked',
    'identity',
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.1 100 x\r\n\r\n',
    '0\r\n\r\n',
    '5\r\nhello\r\n',
    'Upgrade: x\r\n',
  ],
];

/** Replaces what stands at a place, between nothing and a few bytes, by a piece or by nothing; lines go between lines. */
const change = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  removed: fc.constantFrom(0, 0, 0, 1, 2, 8),
  piece: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...INSERTED) }, fc.constant('')),
});

/** Node refuses it, against RFC 9110 §5.5; `response-differential.test.ts` says more. */
const TAB_AT_LENGTH = /^(content-length:)[ \t]*([^\r\n]*?)[ \t]*$/gim;

type Change = { readonly at: number; readonly removed: number; readonly piece: string };

function changed(text: string, { at, removed, piece }: Change): string {
  const place = Math.floor(at * text.length);
  const line = piece.endsWith('\r\n') ? text.indexOf('\r\n', place) : -1;
  const start = line < 0 ? place : line + 2;
  return text.slice(0, start) + piece + text.slice(start + removed);
}

/** Cases of others, where there are some: see `response-differential.test.ts`. */
const published = (): string[] =>
  publishedCases('response').map(({ rawB64 }) => Buffer.from(rawB64, 'base64').toString('latin1'));

test.each([
  ['one change', 1, 4000],
  ['up to three changes', 3, 4000],
])(
  'what our reader accepts of responses with %s, Node reads in the same way',
  async (_name, maxLength, numRuns) => {
    const outcomes = { refused: 0, same: 0, 'bare switch': 0 };
    const mutated = fc
      .tuple(fc.constantFrom(...SAMPLES, ...published()), fc.array(change, { minLength: 1, maxLength }))
      .map(([text, changes]) => changes.reduce(changed, text).replace(TAB_AT_LENGTH, '$1 $2'));
    const property = fc.asyncProperty(mutated, fc.constantFrom(GET, GET, ...CONTEXTS), async (text, context) => {
      outcomes[await compare(node, Buffer.from(text, 'latin1'), context)] += 1;
    });
    await fc.assert(property, { seed: 407, numRuns });
    // Neither side of it is empty.
    expect(Math.min(outcomes.refused, outcomes.same)).toBeGreaterThan(numRuns / 20);
  },
  60_000,
);
