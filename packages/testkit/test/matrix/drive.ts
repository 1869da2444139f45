import type { Chain, RawResponse } from '../../src/index.ts';
import { RawConnection } from '../../src/index.ts';
import type { Cell } from './cells.ts';

const PASSWORDS = { good: 'right-horse', wrong: 'wrong-horse' } as const;
export const OWN_PASSWORD = 'own-battery-staple';
export const CLIENT_PASSWORD = PASSWORDS.good;
const BODY = 'a body that is sent once and arrives whole';

function authorization(client: Cell['client']): string {
  if (client === 'none') return '';
  return `Proxy-Authorization: Basic ${Buffer.from(`client:${PASSWORDS[client]}`).toString('base64')}\r\n`;
}

function requestText(cell: Cell): string {
  const fields = `Host: origin.test\r\n${authorization(cell.client)}`;
  switch (cell.request) {
    case 'GET':
      return `GET http://origin.test/a//b?c=1 HTTP/1.1\r\n${fields}\r\n`;
    case 'POST':
      return `POST http://origin.test/post HTTP/1.1\r\n${fields}Content-Length: ${BODY.length}\r\n\r\n${BODY}`;
    case 'CONNECT':
      return `CONNECT origin.test:80 HTTP/1.1\r\nHost: origin.test:80\r\n${authorization(cell.client)}\r\n`;
    case 'Upgrade':
      return `GET http://origin.test/ws HTTP/1.1\r\n${fields}Connection: Upgrade\r\nUpgrade: echo\r\n\r\n`;
    default:
      return cell.request satisfies never;
  }
}

/** What a tunnel or a switched protocol carried, or the response's body. */
export interface Driven {
  readonly response: RawResponse;
  /** What came back of what was sent through the tunnel; `undefined` where there is none. */
  readonly through: string | undefined;
  /** After a refusal the same connection serves another request: its status. */
  readonly after: number | undefined;
}

/** Sends the cell's request on a raw connection, as its client would. */
export async function drive(chain: Chain, cell: Cell): Promise<Driven> {
  const connection = await RawConnection.connect(chain.downstream.port);
  try {
    const response = await connection.exchange(requestText(cell));
    const opened = response.framing.kind === 'tunnel';
    const through = opened ? await use(connection, cell) : undefined;
    const after = opened ? undefined : (await connection.exchange(requestText({ ...cell, request: 'GET' }))).status;
    return { response, through, after };
  } finally {
    connection.destroy();
  }
}

async function use(connection: RawConnection, cell: Cell): Promise<string> {
  if (cell.request === 'Upgrade') {
    return (await connection.write('ping').readBytes(4)).toString('latin1');
  }
  const inner = await connection.exchange('GET /through HTTP/1.1\r\nHost: origin.test\r\n\r\n');
  return `${inner.status} ${(JSON.parse(inner.body.toString()) as { target: string }).target}`;
}

export const SENT_BODY = BODY;
