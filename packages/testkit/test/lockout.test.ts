import type { Leg } from '@chain407/core';
import { valuesOf } from '@chain407/core';
import { describe, expect, test } from '@jest/globals';
import type { Chain } from '../src/index.ts';
import { RawConnection, startChain } from '../src/index.ts';
import type { SchemeCell } from './matrix/scheme-cells.ts';
import { nameOfKind, SCHEME_KINDS } from './matrix/scheme-cells.ts';
import { configOf } from './matrix/scheme-chain.ts';

const CLIENTS = 200;
const REQUESTS = {
  GET: 'GET http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\n\r\n',
  CONNECT: 'CONNECT origin.test:80 HTTP/1.1\r\nHost: origin.test:80\r\n\r\n',
} as const;

/** One that proves something: the first message of NTLM does not. */
const isAttempt = ({ from, credentials }: Leg): boolean =>
  from === 'downstream' && credentials !== undefined && credentials.fields.message?.startsWith('NEGOTIATE') !== true;

async function askAtOnce(
  chain: Chain,
  text: string,
): Promise<readonly { status: number; said: string; wait: number }[]> {
  const connections = await Promise.all(
    Array.from({ length: CLIENTS }, () => RawConnection.connect(chain.downstream.port, { deadline: 20_000 })),
  );
  try {
    const answers = await Promise.all(connections.map((connection) => connection.exchange(text)));
    return answers.map(({ status, headers }) => ({
      status,
      said: valuesOf(headers, 'proxy-status').join(),
      wait: Number(valuesOf(headers, 'retry-after')[0] ?? 0),
    }));
  } finally {
    for (const connection of connections) connection.destroy();
  }
}

const ROWS = SCHEME_KINDS.flatMap((kind) =>
  (['GET', 'CONNECT'] as const).flatMap((request) =>
    [1, 3].map((attempts) => ({ ...kind, name: nameOfKind(kind), request, attempts })),
  ),
);

describe(`${CLIENTS} requests at once with a wrong password`, () => {
  test.each(ROWS)('$name, $request: $attempts reach the upstream, and no more', async (row) => {
    const { attempts, request, name: _name, ...kind } = row;
    const cell: SchemeCell = { ...kind, identity: 'substitute', request, account: 'wrong' };
    const config = configOf(cell);
    const chain = await startChain({ ...config, downstream: { ...config.downstream, lockout: { attempts } } });
    try {
      const answers = await askAtOnce(chain, REQUESTS[request]);
      expect(chain.legs().filter(isAttempt)).toHaveLength(attempts);
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([407]));
      // Whoever came after the last attempt is told how long to wait, and why.
      const held = answers.filter(({ said }) => said.includes('credentials held back'));
      expect(held).toHaveLength(CLIENTS - attempts);
      expect(held.every(({ wait }) => wait > 0 && wait <= 900)).toBe(true);

      const before = chain.legs().length;
      const [later] = await askAtOnce(chain, REQUESTS[request]);
      expect(later?.status).toBe(407);
      expect(chain.legs().slice(before).filter(isAttempt)).toEqual([]);
    } finally {
      await chain.close();
    }
  });
});

/** What the second request costs, and the tenth. */
describe('once an exchange has gone well', () => {
  const KNOWN = SCHEME_KINDS.flatMap((kind) =>
    (['GET', 'CONNECT'] as const).map((request) => ({ ...kind, name: nameOfKind(kind), request })),
  );
  test.each(KNOWN)('$name, $request: what others cost', async ({ request, name: _name, ...kind }) => {
    const cell: SchemeCell = { ...kind, identity: 'substitute', request, account: 'good' };
    const chain = await startChain(configOf(cell));
    try {
      const ask = async (): Promise<number> => {
        const connection = await RawConnection.connect(chain.downstream.port);
        const { status } = await connection.exchange(REQUESTS[request]);
        connection.destroy();
        return status;
      };
      expect(await ask()).toBe(200);
      chain.clearLegs();
      for (let i = 0; i < 10; i += 1) expect(await ask()).toBe(200);
      const legs = chain.legs().filter(({ from }) => from === 'downstream');
      // A tunnel takes its connection away, and the next one logs in on another: its first message goes unasked.
      const handshake = request === 'CONNECT' && (kind.scheme === 'ntlm' || kind.scheme === 'negotiate');
      expect(legs).toHaveLength(handshake ? 20 : 10);
    } finally {
      await chain.close();
    }
  });
});
