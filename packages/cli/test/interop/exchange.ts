import type { EchoedRequest, RawResponse } from '@chain407/testkit';
import { RawConnection } from '@chain407/testkit';
import { basic } from './accounts.ts';

export const EXCHANGES = ['GET', 'POST', 'CONNECT'] as const;
export type ExchangeKind = (typeof EXCHANGES)[number];

export interface Passage {
  readonly proxyPort: number;
  /** `HOST:PORT` of the origin. */
  readonly origin: string;
  /** `name:password`, sent with the first request as curl does for `-x http://name:password@…`; default: none. */
  readonly user?: string | undefined;
  /** Of a POST. Default {@link BODY_LENGTH}. */
  readonly bodyLength?: number;
  /** Squid 5.7 announces the body of a refused CONNECT and closes without it: then only the head is read. */
  readonly bodyLost?: boolean;
}

export interface Exchanged {
  /** Of the proxy: for CONNECT, its answer to that. */
  readonly status: number;
  /** Of the proxy, where no tunnel was opened. */
  readonly page: string;
  /** The challenges that came with it. */
  readonly challenges: readonly string[];
  /** What the origin got; `undefined`: nothing. */
  readonly echo: EchoedRequest | undefined;
}

/** As large as the bodies that a proxy may want to see only once credentials are known good. */
export const BODY_LENGTH = 1024 * 1024;

const headerText = (fields: readonly string[]): string => `${fields.join('\r\n')}\r\n\r\n`;

/** One exchange through a proxy, by bytes on a socket: what a client sees, with nothing of a client's own mind. */
export async function exchange(kind: ExchangeKind, passage: Passage): Promise<Exchanged> {
  const { proxyPort, origin, user, bodyLength = BODY_LENGTH, bodyLost = false } = passage;
  const credentials = user === undefined ? [] : [`Proxy-Authorization: ${basic(user)}`];
  const host = [`Host: ${origin}`];
  const connection = await RawConnection.connect(proxyPort, { deadline: 20_000 });
  try {
    if (kind === 'CONNECT') {
      connection.write(headerText([`CONNECT ${origin} HTTP/1.1`, ...host, ...credentials]));
      const answer = await connection.readResponse({ method: bodyLost ? 'HEAD' : 'CONNECT' });
      if (answer.status !== 200) return exchanged(answer, undefined);
      connection.write(headerText(['GET /tunnelled HTTP/1.1', ...host]));
      return exchanged(answer, await connection.readResponse());
    }
    const length = kind === 'POST' ? [`Content-Length: ${bodyLength}`] : [];
    connection.write(headerText([`${kind} http://${origin}/plain HTTP/1.1`, ...host, ...credentials, ...length]));
    if (kind === 'POST') connection.write(Buffer.alloc(bodyLength, 'body '));
    const answer = await connection.readResponse();
    return exchanged(answer, answer.status === 200 ? answer : undefined);
  } finally {
    connection.destroy();
  }
}

function exchanged({ status, headers, body }: RawResponse, echoed: RawResponse | undefined): Exchanged {
  const challenges = headers.filter((_, i) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === 'proxy-authenticate');
  const echo = echoed === undefined ? undefined : (JSON.parse(echoed.body.toString()) as EchoedRequest);
  return { status, page: body.toString(), challenges, echo };
}
