import { randomBytes } from 'node:crypto';
import type { ClientScheme } from '@chain407/auth';
import { basicClient, bearerClient, digestClient, ntlmClient, Secret } from '@chain407/auth';
import type { RawResponse } from '../../src/index.ts';
import { RawConnection } from '../../src/index.ts';
import { negotiateAsClient } from '../negotiating-client.ts';
import type { SchemeCell } from './scheme-cells.ts';

/** Beyond `limits.replayBody`: it can be sent only once. */
export const BODY = Buffer.alloc(10_000_000, 'ten million bytes that arrive whole ');

const PORTS = { entropy: randomBytes, clock: Date.now };

/** The client half as a client with this password, or token, would use it. */
export function clientOf({ scheme }: SchemeCell, username: string, secret: string): ClientScheme {
  const password = new Secret(secret);
  switch (scheme) {
    case 'basic':
      return basicClient(username, password);
    case 'bearer':
      return bearerClient({ current: password, renew: () => undefined }, { now: Date.now });
    case 'ntlm':
    case 'negotiate':
      return ntlmClient({ username, secret: { password } }, PORTS, scheme);
    case 'digest':
      return digestClient({ username, password }, {}, PORTS);
    default:
      return scheme satisfies never;
  }
}

/** What the client gets in the end; for a tunnel, what came back through it. */
export interface Ended {
  readonly status: number;
  readonly through: string | undefined;
}

/** Sends the cell's request on one connection, with the body at the end only, as a browser or curl would. */
export async function converse(port: number, cell: SchemeCell, scheme: ClientScheme): Promise<Ended> {
  const connection = await RawConnection.connect(port, { deadline: 20_000 });
  try {
    const facts = { method: methodOf(cell), target: targetOf(cell), peerHost: 'proxy.test' };
    const { status, framing } = await negotiateAsClient({ scheme, facts }, (credentials, complete) =>
      send(connection, cell, credentials, complete),
    );
    return { status, through: framing.kind === 'tunnel' ? await through(connection) : undefined };
  } finally {
    connection.destroy();
  }
}

const methodOf = ({ request }: SchemeCell): string => request;
const targetOf = ({ request }: SchemeCell): string =>
  request === 'CONNECT' ? 'origin.test:80' : `http://origin.test/${request.toLowerCase()}`;

function send(
  connection: RawConnection,
  cell: SchemeCell,
  credentials: string | undefined,
  whole: boolean,
): Promise<RawResponse> {
  const method = methodOf(cell);
  const body = whole || credentials === undefined ? BODY : Buffer.alloc(0);
  const fields = [
    `${method} ${targetOf(cell)} HTTP/1.1`,
    `Host: origin.test${method === 'CONNECT' ? ':80' : ''}`,
    ...(credentials === undefined ? [] : [`Proxy-Authorization: ${credentials}`]),
    ...(method === 'POST' ? [`Content-Length: ${body.length}`] : []),
  ];
  connection.write(`${fields.join('\r\n')}\r\n\r\n`);
  if (method === 'POST') connection.write(body);
  return connection.readResponse({ method });
}

async function through(connection: RawConnection): Promise<string> {
  const inner = await connection.exchange('GET /through HTTP/1.1\r\nHost: origin.test\r\n\r\n');
  return `${inner.status} ${(JSON.parse(inner.body.toString()) as { target: string }).target}`;
}
