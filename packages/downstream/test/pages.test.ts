import { parseChallenges } from '@chain407/auth';
import { synthesize } from '@chain407/core';
import { describe, expect, test } from '@jest/globals';
import type { RejectedPolicy } from '../src/identity.ts';
import type { Refusal } from '../src/negotiation/negotiate.ts';
import type { RefusalContext } from '../src/pages.ts';
import { deniedByRoute, deniedClient, originAsked, refusalPage } from '../src/pages.ts';

const CONTEXT: RefusalContext = { upstream: 'up1', credential: 'corp', policy: '407', relayable: [] };
const page = (refusal: Partial<Refusal> = {}, context: Partial<RefusalContext> = {}) =>
  refusalPage({ reason: 'rejected', detail: 'wrong password', ...refusal }, { ...CONTEXT, ...context });

describe('when the upstream refused our credentials', () => {
  test.each<[reason: Refusal['reason'], details: string, remedy: string]>([
    [
      'rejected',
      'credentials not recognised: up1 refused the credentials "corp"',
      'Correct the user name or the password',
    ],
    ['closed', 'credentials held back: up1 refused the credentials "corp"', 'Correct the user name or the password'],
    ['denied', 'not permitted: up1 knows the credentials "corp"', 'The password is not the problem'],
    ['unanswerable', 'credentials missing: up1 asks for credentials', 'Give the upstream credentials'],
  ])('%s: the page says which of them it is', (reason, details, remedy) => {
    const { details: said, remedy: advice, nextHop } = page({ reason });
    expect(said).toContain(details);
    expect(advice).toContain(remedy);
    expect(nextHop).toBe('up1');
  });

  test('without credentials in the configuration, none are named', () => {
    expect(page({ reason: 'unanswerable', detail: 'the identity is "none"' }, { credential: undefined }).cause).toBe(
      'up1 asks for credentials, and none can be sent: the identity is "none".',
    );
  });

  test.each<
    [policy: RejectedPolicy, relayable: readonly string[], status: number, challenges: readonly string[] | undefined]
  >([
    ['407', [], 407, ['Basic realm="Chain407 downstream: up1 refused its credentials; the page says why"']],
    ['407', ['NTLM', 'Basic realm="x"'], 407, ['NTLM', 'Basic realm="x"']],
    ['502', [], 502, undefined],
    ['502', ['NTLM'], 502, undefined],
    ['ask', ['NTLM'], 407, ['NTLM']],
    ['ask', [], 407, ['Basic realm="Chain407 downstream: up1 refused its credentials; the page says why"']],
  ])('rejected: %s, challenges to pass on: %j → %i', (policy, relayable, status, challenges) => {
    const explanation = page({}, { policy, relayable });
    expect(explanation.status).toBe(status);
    expect(explanation.challenges).toEqual(challenges);
  });

  test('a 407 of our own has a challenge that can be read, whatever the upstream is called', () => {
    const { challenges = [] } = page({}, { upstream: 'a "quoted" \\ name' });
    const read = parseChallenges(challenges).challenges;
    expect(read.map(({ scheme, params }) => [scheme, params.get('realm')])).toEqual([
      ['basic', 'Chain407 downstream: a "quoted" \\ name refused its credentials; the page says why'],
    ]);
  });

  test.each<[retryAfter: number | undefined, seconds: number | undefined, words: string]>([
    [undefined, undefined, ''],
    [1, 1, 'before 1 s have passed'],
    [1500, 2, 'before 2 s have passed'],
    [119_999, 120, 'before 120 s have passed'],
    [120_000, 120, 'before 2 min have passed'],
    [300_001, 301, 'before 6 min have passed'],
  ])('tried again in %s ms: Retry-After %s', (retryAfter, seconds, words) => {
    const explanation = page(retryAfter === undefined ? {} : { retryAfter });
    expect(explanation.retryAfter).toBe(seconds);
    expect(explanation.remedy.includes('not tried again')).toBe(words !== '');
    expect(explanation.remedy).toContain(words);
  });
});

test.each([
  ['a route that denies', deniedByRoute('origin.test:443'), 403, 'http_request_denied', 'origin.test:443'],
  ['a client that is not admitted', deniedClient('192.0.2.1'), 403, 'http_request_denied', '192.0.2.1'],
  ['an origin that asks', originAsked('origin.test:80'), 502, 'http_protocol_error', 'origin.test:80 answered 407'],
] as const)('%s', (_what, explanation, status, error, words) => {
  expect(explanation.status).toBe(status);
  const { headers, body } = synthesize('tier', explanation, undefined);
  expect(headers[headers.indexOf('Proxy-Status') + 1]).toMatch(`tier; error=${error}`);
  expect(headers[headers.indexOf('Proxy-Status') + 1]).toContain(words);
  expect(headers).not.toContain('Proxy-Authenticate');
  expect(body).toMatch(/Symptom: .+\nCause: .+\nRemedy: .+\n/);
});
