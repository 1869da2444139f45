import type { LegFacts } from '@chain407/core';
import { publishLeg } from '@chain407/core';
import { recordLegs } from '@chain407/testkit';
import { describe, expect, test } from '@jest/globals';
import '@chain407/testkit/jest';

const leg = (facts: Partial<LegFacts>): LegFacts => ({
  by: 'downstream-1',
  from: 'downstream',
  to: 'upstream',
  exchange: 'e1',
  connection: 'p1',
  at: 0,
  ms: 1,
  method: 'GET',
  target: 'http://origin.test/',
  requestHeaders: [],
  responseHeaders: [],
  ...facts,
});

const CHALLENGE = ['Proxy-Authenticate', 'NTLM', 'proxy-authenticate', 'basic realm="x"'];

describe('recordLegs', () => {
  test('keeps what its filter takes, in order, until it is stopped', () => {
    const recorder = recordLegs(({ by }) => by === 'mine');
    for (const [by, exchange] of [
      ['mine', 'a'],
      ['other', 'b'],
      ['mine', 'c'],
    ] as const)
      publishLeg(() => leg({ by, exchange }));
    recorder.stop();
    publishLeg(() => leg({ by: 'mine', exchange: 'd' }));
    expect(recorder.legs().map(({ exchange }) => exchange)).toEqual(['a', 'c']);
  });

  test('forgets on clear, and what was handed out stays', () => {
    const recorder = recordLegs();
    publishLeg(() => leg({}));
    const before = recorder.legs();
    recorder.clear();
    expect([before.length, recorder.legs().length]).toEqual([1, 0]);
    recorder.stop();
  });

  test('gets credentials decoded and masked', () => {
    const recorder = recordLegs();
    publishLeg(() => leg({ requestHeaders: ['Proxy-Authorization', 'Basic YWxpY2U6c2VjcmV0'] }));
    recorder.stop();
    expect(JSON.stringify(recorder.legs())).not.toMatch(/YWxpY2U6c2VjcmV0|alice:secret/);
    expect(recorder.legs()[0]?.credentials).toMatchObject({ scheme: 'Basic', fields: { username: 'alice' } });
  });
});

describe('toHaveNegotiated', () => {
  const negotiated = {
    legs: () => [
      leg({ status: 407, responseHeaders: CHALLENGE }),
      leg({ from: 'client', to: 'downstream', status: 200 }),
      leg({ error: 'ECONNRESET' }),
      leg({ status: 200 }),
    ],
  };

  test('compares what the upstream said to the downstream', () => {
    expect(negotiated).toHaveNegotiated(['407 NTLM, Basic', 'ECONNRESET', '200']);
    expect(negotiated).not.toHaveNegotiated(['200']);
  });

  const messageOf = (assert: () => void): string => {
    try {
      assert();
    } catch (error) {
      return String(error);
    }
    return 'passed';
  };

  test('shows the difference line by line', () => {
    const message = messageOf(() => expect(negotiated).toHaveNegotiated(['407 NTLM, Basic', '407 NTLM', '200']));
    expect(message).toContain('- Expected');
    expect(message).toMatch(/-\s+"407 NTLM",/);
    expect(message).toMatch(/\+\s+"ECONNRESET",/);
  });

  test('says what was negotiated although it should not', () => {
    const message = messageOf(() => expect(negotiated).not.toHaveNegotiated(['407 NTLM, Basic', 'ECONNRESET', '200']));
    expect(message).toContain('Expected any negotiation but: ["407 NTLM, Basic", "ECONNRESET", "200"]');
  });

  test('refuses what has no legs', () => {
    expect(messageOf(() => expect({}).toHaveNegotiated([]))).toContain('must be a chain or a recorder of legs');
  });
});
