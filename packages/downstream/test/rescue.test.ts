import { expect, test } from '@jest/globals';
import { HOP_CODES, HopError } from '../src/hop/hop-error.ts';
import { rescue } from '../src/rescue.ts';

test.each<[code: string, status: number, error: string]>([
  ['ENOTFOUND', 502, 'dns_error'],
  ['EAI_AGAIN', 502, 'dns_error'],
  ['EAI_NODATA', 502, 'dns_error'],
  ['ECONNREFUSED', 502, 'connection_refused'],
  ['ETIMEDOUT', 504, 'connection_timeout'],
  [HOP_CODES.dnsTimeout, 504, 'dns_timeout'],
  [HOP_CODES.connectTimeout, 504, 'connection_timeout'],
  ['EHOSTUNREACH', 502, 'destination_unavailable'],
  ['ENETUNREACH', 502, 'destination_unavailable'],
  ['EADDRNOTAVAIL', 502, 'destination_unavailable'],
  ['EMFILE', 503, 'connection_limit_reached'],
  [HOP_CODES.responseTimeout, 504, 'http_response_timeout'],
  ['CERT_HAS_EXPIRED', 502, 'tls_certificate_error'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 502, 'tls_certificate_error'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 502, 'tls_certificate_error'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 502, 'tls_protocol_error'],
  ['EPROTO', 502, 'tls_protocol_error'],
  [HOP_CODES.headTooLarge, 502, 'http_response_header_section_size'],
  [HOP_CODES.malformed, 502, 'http_protocol_error'],
  [HOP_CODES.notReplayable, 502, 'proxy_internal_response'],
  [HOP_CODES.closed, 502, 'connection_terminated'],
  ['ECONNRESET', 502, 'connection_terminated'],
  ['EPIPE', 502, 'connection_terminated'],
  ['EACCES', 502, 'proxy_internal_error'],
])('%s on the way to the next hop is %i, %s, and names that hop', (code, status, error) => {
  const explanation = rescue(new HopError('connect', code, 'internal words', true), 'up1');
  expect(explanation).toMatchObject({ status, error, nextHop: 'up1' });
  expect(explanation.details).toMatch(/^up1: .+/);
  expect(explanation.details).toContain(`(${code})`);
  expect(JSON.stringify(explanation)).not.toContain('internal words');
});

test('every code of ours has a row', () => {
  const rows = Object.values(HOP_CODES).map((code) => rescue(new HopError('exchange', code, '', false), 'up1').error);
  expect(rows).not.toContain('proxy_internal_error');
});

test('a client that stops in the middle of its body is told so, and nobody else is blamed', () => {
  const explanation = rescue(new HopError('exchange', HOP_CODES.requestTimeout, '', true), 'up1');
  expect(explanation).toMatchObject({ status: 408, error: 'http_request_error' });
  expect(JSON.stringify(explanation)).not.toContain('up1');
});
