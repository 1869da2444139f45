import type { Explanation } from '@chain407/core';
import { stalledRequest } from '@chain407/core';
import type { HopError } from './hop/hop-error.ts';
import { HOP_CODES } from './hop/hop-error.ts';

type Row = readonly [
  codes: readonly string[] | RegExp,
  status: 502 | 503 | 504,
  error: Explanation['error'],
  cause: string,
  remedy: string,
];

const NETWORK_REMEDY =
  'Check the address and port in the configuration, and that this machine is on the network where it lives.';

/** OpenSSL's verdicts on a certificate (Node's documentation of TLS, "X509 certificate error codes"). */
const CERTIFICATE =
  /^(?:CERT_|CRL_|ERROR_IN_CERT_|ERR_TLS_CERT_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH|PATH_LENGTH_EXCEEDED)/;

/** From what went wrong on the way to the next hop to what the client is told. First row that fits. */
const ROWS: readonly Row[] = [
  [
    ['ENOTFOUND', 'EAI_AGAIN', 'EAI_NODATA'],
    502,
    'dns_error',
    'its name cannot be resolved',
    `${NETWORK_REMEDY} Outside that network its name is often unknown.`,
  ],
  [
    [HOP_CODES.dnsTimeout],
    504,
    'dns_timeout',
    'nobody told the address of its name in time',
    'Check that the name servers of this machine answer; or name it by its address.',
  ],
  [['ECONNREFUSED'], 502, 'connection_refused', 'nothing listens at its address', NETWORK_REMEDY],
  [
    [HOP_CODES.connectTimeout, 'ETIMEDOUT'],
    504,
    'connection_timeout',
    'it did not accept a connection in time',
    NETWORK_REMEDY,
  ],
  [
    ['EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL'],
    502,
    'destination_unavailable',
    'there is no way to its address',
    NETWORK_REMEDY,
  ],
  [
    ['EMFILE', 'ENFILE'],
    503,
    'connection_limit_reached',
    'this proxy has as many files and connections open as it may',
    'Try again in a moment; whoever runs the proxy can raise that limit (ulimit -n, or LimitNOFILE of systemd).',
  ],
  [
    CERTIFICATE,
    502,
    'tls_certificate_error',
    'its certificate is not one that this proxy trusts for it',
    'Name the authority that signed it in tls.ca of the upstream, or the name that it has in tls.servername.',
  ],
  [
    [HOP_CODES.tlsInstead],
    502,
    'tls_protocol_error',
    'it speaks TLS, and its url begins with http://',
    'Write https:// in the url of the upstream, and tls.ca where its certificate is signed by an authority of your own.',
  ],
  [
    /^(?:ERR_SSL_|ERR_TLS_|EPROTO)/,
    502,
    'tls_protocol_error',
    'a TLS connection to it could not be made',
    'Check that this port of it speaks TLS (a url with http:// is for those that do not), and whether it asks for a certificate (tls.cert, tls.key).',
  ],
  [
    [HOP_CODES.responseTimeout],
    504,
    'http_response_timeout',
    'it took the request and did not answer in time',
    'Try again; if it stays so, the site behind it may be slow or down.',
  ],
  [
    [HOP_CODES.headTooLarge],
    502,
    'http_response_header_section_size',
    'the head of its answer is larger than limits.headerSize, or has more fields than limits.headerCount',
    'If such answers are to be expected, raise these limits.',
  ],
  [
    [HOP_CODES.malformed],
    502,
    'http_protocol_error',
    'its answer is not valid HTTP/1',
    'This is a fault of that proxy; its log may say more.',
  ],
  [
    [HOP_CODES.notReplayable],
    502,
    'proxy_internal_response',
    'it asked for credentials again when the request body had already gone',
    'Send the request again: the next try knows the answer; or raise limits.replayBody.',
  ],
  [
    [HOP_CODES.impostor],
    502,
    'proxy_internal_response',
    'it could not prove that it knows the secret of the account, as mutual authentication asks',
    'Do not go on before it is known why: something may be standing in for that proxy.',
  ],
  [
    [HOP_CODES.closed, 'ECONNRESET', 'EPIPE'],
    502,
    'connection_terminated',
    'it closed the connection before it had answered',
    'Try again; if it always does so, its log may say why, or it speaks TLS: then its url begins with https://.',
  ],
];

const UNKNOWN: Row = [[], 502, 'proxy_internal_error', 'the connection failed', NETWORK_REMEDY];

const fits = (codes: Row[0], code: string): boolean =>
  codes instanceof RegExp ? codes.test(code) : codes.includes(code);

/** `nextHop` is the name of an upstream, or the authority of an origin on a direct route. */
export function rescue(error: HopError, nextHop: string): Explanation {
  if (error.code === HOP_CODES.requestTimeout) return stalledRequest();
  const [, status, proxyError, cause, remedy] = ROWS.find(([codes]) => fits(codes, error.code)) ?? UNKNOWN;
  return {
    status,
    error: proxyError,
    details: `${nextHop}: ${cause} (${error.code})`,
    nextHop,
    symptom: `The request did not get past ${nextHop}, the next hop.`,
    cause: `The proxy could not use ${nextHop}: ${cause} (${error.code}).`,
    remedy,
  };
}
