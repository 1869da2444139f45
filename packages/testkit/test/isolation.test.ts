import { randomBytes } from 'node:crypto';
import { ntlmClient, Secret } from '@chain407/auth';
import type { Leg } from '@chain407/core';
import { describe, expect, test } from '@jest/globals';
import type { Chain } from '../src/index.ts';
import { RawConnection, startChain } from '../src/index.ts';
import { negotiateAsClient } from './negotiating-client.ts';

const USERS = ['alice', 'bob', 'carol'] as const;
const passwordOf = (user: string): string => `the password of ${user}`;
const users = USERS.map((name) => ({ name, password: { value: passwordOf(name) } }));
const GET = (user: string, credentials?: string): string =>
  `GET http://origin.test/${user} HTTP/1.1\r\nHost: origin.test\r\n${credentials === undefined ? '' : `Proxy-Authorization: ${credentials}\r\n`}\r\n`;

/** Whom a connection to the upstream has served: by the target, which says who asks, once credentials no longer do. */
function speakersOf(chain: Chain): string[][] {
  const speakers = new Map<string, Set<string>>();
  for (const { from, to, connection, credentials, target } of chain.legs() as readonly Leg[]) {
    if (from !== 'client' || to !== 'upstream') continue;
    const known = speakers.get(connection) ?? new Set();
    speakers.set(connection, known);
    const user = USERS.find((name) => target.includes(`/${name}`));
    // The first question of a client goes over a connection that is nobody's yet, and may be shared.
    if (user !== undefined && (credentials !== undefined || known.size > 0)) known.add(user);
  }
  return [...speakers.values()].map((names) => [...names]);
}

/** Logs a connection of its own in by NTLM (`atOnce`: without asking first) and asks some more on it; says the statuses. */
async function client(port: number, user: string, atOnce = false): Promise<number[]> {
  const scheme = ntlmClient(
    { username: user, secret: { password: new Secret(passwordOf(user)) } },
    { entropy: randomBytes, clock: Date.now },
  );
  const connection = await RawConnection.connect(port);
  try {
    const statuses: number[] = [];
    const facts = { method: 'GET', target: 'http://origin.test/', peerHost: 'proxy' };
    await negotiateAsClient({ scheme, facts, atOnce }, async (credentials) => {
      const response = await connection.exchange(GET(user, credentials));
      statuses.push(response.status);
      return response;
    });
    for (let i = 0; i < 3; i += 1) statuses.push((await connection.exchange(GET(user))).status);
    return statuses;
  } finally {
    connection.destroy();
  }
}

describe('a connection to the upstream speaks for one user only', () => {
  test('where clients of many users log in by NTLM at once, through a downstream that relays', async () => {
    const chain = await startChain({
      upstream: { auth: { schemes: ['ntlm'] }, users },
      downstream: { identity: 'relay' },
    });
    try {
      const clients = Array.from({ length: 30 }, (_, i) => USERS[i % USERS.length] as string);
      const heard = await Promise.all(clients.map((user) => client(chain.downstream.port, user)));
      expect(new Set(heard.map(String))).toEqual(new Set(['407,407,200,200,200,200']));
      const speakers = speakersOf(chain);
      const loggedIn = speakers.filter((names) => names.length > 0);
      expect(loggedIn).toHaveLength(clients.length);
      expect(loggedIn.every((names) => names.length === 1)).toBe(true);
    } finally {
      await chain.close();
    }
  });

  test.each([
    ['Basic', 'basic'],
    ['Digest', 'digest'],
    ['NTLM', 'ntlm'],
  ])(
    'where the downstream speaks for several accounts by %s, one connection after the other is at rest',
    async (_name, scheme) => {
      const portOf = (user: string): number => 8001 + USERS.indexOf(user as (typeof USERS)[number]);
      const chain = await startChain({
        upstream: { auth: { schemes: [scheme] }, users, access: [{ allow: {} }] },
        downstream: {
          identity: 'substitute',
          credentials: Object.fromEntries(
            USERS.map((user) => [user, { username: user, password: { value: passwordOf(user) }, schemes: [scheme] }]),
          ),
          upstreams: Object.fromEntries(USERS.map((user) => [user, { credentials: user }])),
          routes: USERS.map((user) => ({ to: [`origin.test:${portOf(user)}`], via: user })),
        },
      });
      try {
        for (let round = 0; round < 3; round += 1) {
          await Promise.all(
            USERS.flatMap((user) => [user, user]).map(async (user) => {
              const connection = await RawConnection.connect(chain.downstream.port);
              const { status } = await connection.exchange(
                `GET http://origin.test:${portOf(user)}/${user} HTTP/1.1\r\nHost: origin.test:${portOf(user)}\r\n\r\n`,
              );
              connection.destroy();
              expect(status).toBe(200);
            }),
          );
        }
        expect(new Set(speakersOf(chain).flat())).toEqual(new Set(USERS));
        expect(speakersOf(chain).every((names) => names.length <= 1)).toBe(true);
      } finally {
        await chain.close();
      }
    },
  );
});

test('what a client sends without credentials on a connection that it has logged in is its own, though we have others', async () => {
  const service = { name: 'service', password: { value: passwordOf('service') } };
  const chain = await startChain({
    upstream: {
      auth: { schemes: ['ntlm'] },
      users: [...users, service],
      access: [{ deny: { users: ['bob'] } }, { allow: {} }],
    },
    downstream: {
      identity: 'relay-else-substitute',
      credentials: { ours: { username: 'service', password: service.password, schemes: ['ntlm'] } },
    },
  });
  try {
    expect(await client(chain.downstream.port, 'alice', true)).toEqual([407, 200, 200, 200, 200]);
    // Known, and not permitted: it must not get through as somebody else.
    expect(await client(chain.downstream.port, 'bob', true)).toEqual([407, 403, 403, 403, 403]);
  } finally {
    await chain.close();
  }
});
