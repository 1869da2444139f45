import type { Explanation, Logger } from '@chain407/core';
import { PROHIBITED } from './address-guard.ts';

type Row = readonly [
  codes: RegExp,
  status: 403 | 502 | 504,
  error: Explanation['error'],
  cause: string,
  remedy: string,
];

const CHECK = 'Check the name and the port of the site, and try again.';

/** Our own codes: not connected, or no answer, in time. */
export const TIMEOUTS = { connect: 'ERR_CONNECT_TIMEOUT', response: 'ERR_RESPONSE_TIMEOUT' } as const;

/** From what went wrong on the way to the origin to what the client is told. First row that fits. */
const ROWS: readonly Row[] = [
  [
    new RegExp(`^${PROHIBITED}$`),
    403,
    'destination_ip_prohibited',
    'its address is of the inside (loopback, private, link-local or metadata)',
    'If it is meant to be reached: private: allow, or a fixed address under hosts.',
  ],
  [/^(ENOTFOUND|EAI_NODATA)$/, 502, 'dns_error', 'its name cannot be resolved', CHECK],
  [/^(EAI_AGAIN|ETIMEOUT)$/, 502, 'dns_timeout', 'the name server did not answer', 'Try again in a moment.'],
  [/^ECONNREFUSED$/, 502, 'connection_refused', 'nothing listens there', CHECK],
  [
    new RegExp(`^(${TIMEOUTS.connect}|ETIMEDOUT)$`),
    504,
    'connection_timeout',
    'it did not accept a connection in time',
    'Try again; it may be down.',
  ],
  [
    new RegExp(`^${TIMEOUTS.response}$`),
    504,
    'http_response_timeout',
    'it took the request and did not answer in time',
    'Try again; it may be slow or down.',
  ],
  [
    /^(ECONNRESET|EPIPE|ECONNABORTED)$/,
    502,
    'connection_terminated',
    'it closed the connection before it had answered',
    'Try again.',
  ],
  [
    /^(EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)$/,
    502,
    'destination_unavailable',
    'there is no way to its address',
    CHECK,
  ],
  [
    /^(HPE_|ERR_HTTP_|ERR_INVALID_)/,
    502,
    'http_protocol_error',
    'its answer is not valid HTTP/1',
    'This is a fault of the site.',
  ],
  [
    /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO|UNABLE_TO|SELF_SIGNED|EPROTO)/,
    502,
    'connection_terminated',
    'its TLS or its certificate is not in order',
    'This is a fault of the site, or its authority is not known here.',
  ],
];

/** `authority` names the origin. An error that no row knows is logged: it is a bug. */
export function rescue(error: NodeJS.ErrnoException, authority: string, logger: Logger): Explanation {
  const code = error.code ?? '';
  const row = ROWS.find(([codes]) => codes.test(code));
  if (row === undefined) logger.error({ err: error, origin: authority }, 'unexpected error');
  const [, status, proxyError, cause, remedy] = row ?? [
    /./,
    502,
    'proxy_internal_error',
    'the connection failed',
    CHECK,
  ];
  return {
    status,
    error: proxyError as Explanation['error'],
    details: `${authority}: ${cause}${code === '' ? '' : ` (${code})`}`,
    nextHop: authority,
    symptom: `The request did not get to ${authority}.`,
    cause: `This proxy could not use ${authority}: ${cause}${code === '' ? '' : ` (${code})`}.`,
    remedy,
  };
}
