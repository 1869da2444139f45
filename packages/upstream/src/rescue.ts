import type { Explanation, Logger } from '@chain407/core';
import { stalledRequest } from '@chain407/core';
import { PROHIBITED } from './origin/address-guard.ts';
import { ORIGIN_CODES } from './origin/origin-error.ts';

type Row = readonly [
  code: RegExp | string,
  status: 403 | 502 | 503 | 504,
  error: Explanation['error'],
  cause: string,
  remedy: string,
];

const CHECK = 'Check the name and the port in the URL, and that the site is up.';
const SITE = 'This is a fault of the site; whoever runs it can mend it.';
const AGAIN = 'Try again; if it stays so, the site may be slow or down.';

/** From what went wrong on the way to the origin to what the client is told. First row that fits. */
const ROWS: readonly Row[] = [
  [
    PROHIBITED,
    403,
    'destination_ip_prohibited',
    'its address is of the inside (private, loopback, link-local or metadata), where this proxy does not go',
    'If it is meant to be reached: name it under hosts, or set private: allow.',
  ],
  [/^(ENOTFOUND|EAI_NODATA|EAI_AGAIN|ENODATA)$/, 502, 'dns_error', 'its name cannot be resolved', CHECK],
  [
    ORIGIN_CODES.dnsTimeout,
    504,
    'dns_timeout',
    'nobody told the address of its name in time',
    "Try again; if it stays so for other names, this machine's name servers do not answer.",
  ],
  ['ECONNREFUSED', 502, 'connection_refused', 'nothing listens there', CHECK],
  [
    new RegExp(`^(${ORIGIN_CODES.connectTimeout}|ETIMEDOUT)$`),
    504,
    'connection_timeout',
    'it did not accept a connection in time',
    AGAIN,
  ],
  [ORIGIN_CODES.responseTimeout, 504, 'http_response_timeout', 'it took the request and did not answer in time', AGAIN],
  [
    /^(EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|EHOSTDOWN)$/,
    502,
    'destination_unavailable',
    'there is no way to its address',
    CHECK,
  ],
  [
    /^E[MN]FILE$/,
    503,
    'connection_limit_reached',
    'this proxy has as many files and connections open as it may',
    'Try again in a moment; whoever runs the proxy can raise that limit (ulimit -n, or LimitNOFILE of systemd).',
  ],
  [
    ORIGIN_CODES.asked,
    502,
    'http_protocol_error',
    'it answered 407, which only a proxy may; its challenge was not passed on',
    'If it is a proxy, it cannot be used as a site; if not, it is at fault.',
  ],
  [
    new RegExp(`^(HPE_HEADER_OVERFLOW|${ORIGIN_CODES.headTooLarge})$`),
    502,
    'http_response_header_section_size',
    'the head of its answer is larger than limits.headerSize, or has more fields than limits.headerCount',
    'If such answers are to be expected, raise these limits.',
  ],
  [
    new RegExp(`^(HPE_.+|ERR_HTTP_.+|ERR_INVALID_CHAR|${ORIGIN_CODES.malformed})$`),
    502,
    'http_protocol_error',
    'its answer is not valid HTTP/1.1',
    SITE,
  ],
  [
    /^(ERR_TLS_CERT_.+|CERT_.+|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_.+|HOSTNAME_MISMATCH)$/,
    502,
    'tls_certificate_error',
    'its certificate cannot be trusted',
    'Reach it by CONNECT, where the client judges the certificate; or make its authority known here (NODE_EXTRA_CA_CERTS).',
  ],
  [/^(ERR_SSL_.+|ERR_TLS_.+|EPROTO)$/, 502, 'tls_protocol_error', 'it does not speak TLS as this proxy does', SITE],
  [
    /^(ECONNRESET|EPIPE|ECONNABORTED)$/,
    502,
    'connection_terminated',
    'it closed the connection before it had answered',
    AGAIN,
  ],
];

const UNKNOWN: Row = ['', 502, 'proxy_internal_error', 'the connection failed in a way that is not known here', AGAIN];

/** The code of an error, Node's or ours. */
export function codeOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? error.name;
}

/** `authority` names the origin. An error that no row knows is logged. */
export function rescue(error: Error, authority: string, logger: Logger): Explanation {
  const code = codeOf(error);
  if (code === ORIGIN_CODES.requestTimeout) return stalledRequest();
  const fits = ([pattern]: Row): boolean => (typeof pattern === 'string' ? pattern === code : pattern.test(code));
  const row = ROWS.find(fits);
  if (row === undefined) logger.error({ err: error, origin: authority }, 'an error that is not known');
  const [, status, proxyError, cause, remedy] = row ?? UNKNOWN;
  return {
    status,
    error: proxyError,
    details: `${authority}: ${cause} (${code})`,
    nextHop: authority,
    symptom: `The request did not get an answer from ${authority}, the next hop.`,
    cause: `The proxy could not use ${authority}: ${cause} (${code}).`,
    remedy,
  };
}
