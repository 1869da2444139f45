import type { ClientScheme } from '@chain407/auth';
import { formatHead } from '@chain407/core';
import { afterEach, expect, test } from '@jest/globals';
import { LockoutGuard } from '../src/account/lockout.ts';
import { Cancellation } from '../src/hop/cancellation.ts';
import { Pool } from '../src/hop/pool.ts';
import type { NegotiatedCredential } from '../src/negotiation/negotiate.ts';
import { negotiate } from '../src/negotiation/negotiate.ts';
import { OPTIONS } from './raw-server.ts';
import { cleanUp, closeLater, scripted } from './support.ts';

afterEach(cleanUp);

/** None of ours is like that: it always has one leg more, and none of them proves anything yet. */
const ENDLESS: ClientScheme = {
  name: 'negotiate',
  binding: 'connection',
  answer: () => ({
    kind: 'send',
    credentials: { scheme: 'negotiate', token68: 'AAAA', params: new Map() },
    state: undefined,
    complete: false,
  }),
};

function endless(): NegotiatedCredential {
  const guard = new LockoutGuard({ attempts: 1, cooldown: 60_000, now: Date.now, onChange: () => undefined });
  closeLater(() => guard.close());
  return {
    ...{ guard, schemes: [ENDLESS], known: new Map(), mayGoTo: () => true },
    ...{ rejected: (why) => guard.rejected(why), lookAgain: () => undefined },
  };
}

test('a handshake that finds no end is given up after eight legs, and says nothing of the credentials', async () => {
  const hop = await scripted({ accept: () => ({ challenges: ['Negotiate AAAA'] }) });
  const pool = new Pool();
  closeLater(() => pool.close());
  const credential = endless();
  const outcome = await negotiate({
    ...{ method: 'GET', target: 'http://origin.test/', upgrade: false, idempotent: true, body: undefined },
    upstream: {
      ...{ name: 'hop', idleTimeout: 1000, spare: 0, credential: undefined },
      connection: { ...OPTIONS, port: hop.port },
    },
    credential,
    answerable: false,
    cancellation: new Cancellation(),
    head: (credentials) =>
      formatHead('GET http://origin.test/ HTTP/1.1', [
        ...['Host', 'origin.test'],
        ...(credentials === undefined ? [] : ['Proxy-Authorization', 'Negotiate AAAA']),
      ]),
    source: (scheme) => pool.source(String(scheme), 1000),
    onLeg: () => undefined,
    onInformational: () => undefined,
  });
  expect(outcome).toMatchObject({ refusal: { reason: 'unanswerable', detail: 'the proxy asked 8 times' } });
  expect(hop.requests).toHaveLength(8);
  expect(credential.guard.closed()).toBeUndefined();
});
