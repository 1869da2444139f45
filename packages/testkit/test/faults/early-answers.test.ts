import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Census } from './census.ts';
import type { Early } from './early-hop.ts';
import { EarlyHop, MANNERS } from './early-hop.ts';
import type { RequestName } from './exchanges.ts';
import { PROXIES, requestText } from './exchanges.ts';
import { leftovers } from './leftovers.ts';
import type { Outcome } from './outcome.ts';
import { outcomeOf } from './outcome.ts';
import { rawAnswer } from './raw-answer.ts';
import type { TierUnderTest } from './tier.ts';
import { downstreamTo, upstream } from './tier.ts';

/**
 * The next hop gives its whole answer after every single byte of a request that has reached it, and then closes or not; the
 * client goes on with its upload, or stops. The client gets that answer; no byte of the upload is taken for a request, nothing is
 * left, and the next request works (RFC 9112 §9.3, §9.6).
 */
const LONG = '10s';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789';
const TOO_LARGE = 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 10\r\n\r\n0123456789';
const ASK =
  'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="r"\r\nContent-Length: 0\r\n\r\n';

let census: Census;
beforeEach(() => {
  census = new Census();
});
afterEach(() => census.end());

interface Upload {
  /** What the client sends before the answer, and after it, where it goes on. */
  readonly before: string;
  readonly after: string;
}

interface Scene {
  readonly scheme: string;
  readonly request: RequestName;
  /** The exchange before it has shown what is asked for. */
  readonly known: boolean;
  /** By the answer of the hop, what the client gets. */
  readonly outcomes: Readonly<Record<string, Outcome>>;
  /** An answer that the request is sent again for: the client has to go on. */
  readonly onlyGoingOn?: boolean;
}

/** `413`: just that answer, whole. */
const nameOf = (answer: string): string =>
  /^HTTP\/1\.1 413 [\s\S]*\r\n\r\n0123456789$/.test(answer) ? '413' : outcomeOf(answer);

async function everyAnswer(scene: Scene, start: (port: number) => Promise<TierUnderTest>) {
  const { scheme, request, known, outcomes, onlyGoingOn } = scene;
  const wrong: Record<string, string> = {};
  const hop = await EarlyHop.start(PROXIES[scheme] as never);
  const tier = await start(hop.port);
  const text = requestText(request, `127.0.0.1:${hop.port}`);
  const body = text.indexOf('\r\n\r\n') + 4;
  const offsets = [...text]
    .map((_, at) => at)
    .filter((at) => at >= body && (at < body + (request === 'large POST' ? 3 : 40) || at % 1_000 === 0));
  const ask = async (name: RequestName) =>
    outcomeOf(await rawAnswer(tier.port, requestText(name, `127.0.0.1:${hop.port}`)));
  const play = async (early: Early, { before, after }: Upload): Promise<string | undefined> => {
    tier.forget();
    if (known && (await ask('GET')) !== 'whole') return 'the request before';
    const outcome = nameOf(await rawAnswer(tier.port, before, { after: hop.plan(early), text: after }));
    // Who closes before the rest of the upload resets the connection at it, which can destroy the answer (RFC 9112 §9.6).
    const lost = early.then === 'closes' && after !== '' && outcome === '502 connection_terminated';
    if (outcome !== outcomes[early.answer] && !lost) return outcome;
    const left = await leftovers(tier, hop);
    if (left !== undefined) return left;
    if ((await ask('GET')) !== 'whole') return 'the next request';
    return tier.errors[0] ?? hop.astray;
  };

  for (const at of offsets) {
    const [before, rest] = [text.slice(0, at), text.slice(at)];
    const arrives = before.slice(body).replace(/[^x]/g, '').length;
    for (const answer of Object.keys(outcomes)) {
      for (const then of MANNERS) {
        for (const after of onlyGoingOn ? [rest] : [rest, '']) {
          const why = await play({ body: arrives, answer, then }, { before, after });
          const how = `${answer.slice(9, 12)} after ${at - body} bytes, ${then}, ${after === '' ? 'stops' : 'goes on'}`;
          if (why !== undefined) wrong[how] = why;
        }
      }
    }
  }
  await tier.close();
  hop.close();
  const remains = await census.remains();
  return remains === undefined ? wrong : { ...wrong, remains };
}

const UPLOADS = ['POST', 'large POST', 'chunked POST'] as const;
const PASSED_ON = { [OK]: 'whole', [TOO_LARGE]: '413' };

describe('the next hop of a downstream answers early', () => {
  test.each<Scene>([
    ...UPLOADS.map((request) => ({
      ...{ scheme: 'none', request, known: false },
      outcomes: { ...PASSED_ON, [ASK]: '407 http_request_denied' },
    })),
    ...['basic', 'digest', 'bearer', 'ntlm', 'negotiate'].flatMap((scheme) =>
      UPLOADS.map((request) => ({ scheme, request, known: true, outcomes: PASSED_ON })),
    ),
    { scheme: 'basic', request: 'POST', known: false, outcomes: { [ASK]: 'whole' }, onlyGoingOn: true },
  ])('$scheme, $request, known: $known', async (scene) => {
    const start = (port: number) => downstreamTo(port, { scheme: scene.scheme, timeout: LONG });
    expect(await everyAnswer(scene, start)).toEqual({});
  });
});

describe('the origin of an upstream answers early', () => {
  // Only a proxy may ask for proxy authentication (RFC 9110 §15.5.8).
  const outcomes = { ...PASSED_ON, [ASK]: '502 http_protocol_error' };
  test.each(UPLOADS.flatMap((request) => [false, true].map((known) => ({ request, known }))))(
    '$request, known: $known',
    async ({ request, known }) => {
      expect(await everyAnswer({ scheme: 'none', request, known, outcomes }, () => upstream(LONG))).toEqual({});
    },
  );
});
