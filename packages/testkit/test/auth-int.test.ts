import { createHash, randomBytes } from 'node:crypto';
import { digestClient, formatMessage, parseChallenges, Secret } from '@chain407/auth';
import { valuesOf } from '@chain407/core';
import { describe, expect, test } from '@jest/globals';
import type { ChainConfig } from '../src/index.ts';
import { RawConnection, startChain } from '../src/index.ts';

const users = [{ name: 'alice', password: { value: 'secret' } }];
const auth = { schemes: ['digest'], digest: { qop: ['auth-int'], algorithms: ['SHA-256'] } };
const head = (length: number, credentials?: string): string =>
  `POST http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\nContent-Length: ${length}\r\n${
    credentials === undefined ? '' : `Proxy-Authorization: ${credentials}\r\n`
  }\r\n`;

/** A client that speaks `auth-int` itself; `claimed` is what it hashes, `sent` what it sends. */
async function post(port: number, claimed: Buffer, sent: Buffer): Promise<number> {
  const connection = await RawConnection.connect(port, { deadline: 20_000 });
  try {
    const asked = await connection.exchange(head(0));
    const { challenges } = parseChallenges(valuesOf(asked.headers, 'proxy-authenticate'));
    const client = digestClient({ username: 'alice', password: new Secret('secret') }, {}, { entropy: randomBytes });
    const request = { method: 'POST', target: 'http://origin.test/', peerHost: 'proxy', content: async () => claimed };
    const turn = await client.answer(challenges, request, undefined);
    if (turn.kind !== 'send') throw new Error(turn.detail);
    connection.write(head(sent.length, formatMessage(turn.credentials))).write(sent);
    return (await connection.readResponse()).status;
  } finally {
    connection.destroy();
  }
}

describe('Digest that covers the content (RFC 7616 §3.4.3)', () => {
  const relay: ChainConfig = { upstream: { auth, users }, downstream: { identity: 'relay' } };
  const BODY = randomBytes(100_000);

  test.each([
    ['the content that was hashed is taken, and reaches the origin whole', BODY, BODY, 200],
    ['another content is a wrong password', BODY, randomBytes(100_000), 407],
    ['one that is too large to be held is refused as that', randomBytes(1_100_000), Buffer.alloc(1_100_000), 413],
  ])('%s', async (_what, claimed, sent, status) => {
    const chain = await startChain(relay);
    try {
      expect(await post(chain.downstream.port, claimed, sent)).toBe(status);
      const digests = chain.origin.requests.map(({ bodySha256 }) => bodySha256);
      expect(digests).toEqual(status === 200 ? [createHash('sha256').update(sent).digest('hex')] : []);
    } finally {
      await chain.close();
    }
  });

  test('the downstream hashes what it can keep, chunked or not', async () => {
    const chain = await startChain({
      upstream: { auth, users },
      downstream: { credentials: { a: { username: 'alice', password: { value: 'secret' }, schemes: ['digest'] } } },
    });
    const connection = await RawConnection.connect(chain.downstream.port);
    try {
      expect((await connection.exchange(`${head(BODY.length)}${BODY.toString('latin1')}`)).status).toBe(200);
      const chunked = 'POST http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\nTransfer-Encoding: chunked\r\n\r\n';
      expect((await connection.exchange(`${chunked}5\r\nhello\r\n0\r\n\r\n`)).status).toBe(200);
      expect(chain.origin.requests.map(({ bodyLength }) => bodyLength)).toEqual(
        expect.arrayContaining([BODY.length, 5]),
      );
    } finally {
      connection.destroy();
      await chain.close();
    }
  });

  test('what the downstream cannot keep it does not send, and says why', async () => {
    const chain = await startChain({
      upstream: { auth, users },
      downstream: { credentials: { a: { username: 'alice', password: { value: 'secret' }, schemes: ['digest'] } } },
    });
    const connection = await RawConnection.connect(chain.downstream.port, { deadline: 20_000 });
    try {
      const large = Buffer.alloc(1_100_000, 'large ');
      const { status, body } = await connection.write(head(large.length)).write(large).readResponse();
      expect(status).toBe(407);
      expect(body.toString()).toContain('too large to be hashed');
      expect(chain.origin.requests.filter(({ method }) => method === 'POST')).toEqual([]);
    } finally {
      connection.destroy();
      await chain.close();
    }
  });
});
