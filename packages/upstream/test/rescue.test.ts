import { createLogger } from '@chain407/core';
import { expect, test } from '@jest/globals';
import { rescue } from '../src/rescue.ts';

test.each([
  ['ENOTFOUND', 502, 'dns_error'],
  ['ERR_ORIGIN_DNS_TIMEOUT', 504, 'dns_timeout'],
  ['ETIMEDOUT', 504, 'connection_timeout'],
  ['ENETUNREACH', 502, 'destination_unavailable'],
  ['EMFILE', 503, 'connection_limit_reached'],
  ['ENFILE', 503, 'connection_limit_reached'],
  ['EPIPE', 502, 'connection_terminated'],
])('%s on the way to the origin is %i, %s, and no bug that is logged', (code, status, error) => {
  const lines: string[] = [];
  const logger = createLogger('trace', { write: (line: string) => void lines.push(line) });
  const explanation = rescue(Object.assign(new Error('internal words'), { code }), 'origin.test:80', logger);
  expect(explanation).toMatchObject({ status, error, nextHop: 'origin.test:80' });
  expect(explanation.details).toContain(`(${code})`);
  expect(JSON.stringify(explanation)).not.toContain('internal words');
  expect(lines).toEqual([]);
});
