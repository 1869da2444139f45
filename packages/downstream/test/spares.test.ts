import { Secret } from '@chain407/auth';
import { createLogger } from '@chain407/core';
import { afterEach, expect, test } from '@jest/globals';
import { fixedSecret } from '../src/account/account.ts';
import { Credential } from '../src/account/credentials.ts';
import { Pool } from '../src/hop/pool.ts';
import { Spares } from '../src/negotiation/spares.ts';
import { OPTIONS } from './raw-server.ts';
import { cleanUp, closeLater, eventually, scripted } from './support.ts';

afterEach(cleanUp);

test('a bug in a login that no client waits for is logged, and ends nothing', async () => {
  const hop = await scripted();
  const lines: string[] = [];
  const logger = createLogger('error', { write: (line: string) => void lines.push(line) });
  const pool = new Pool();
  const spares = new Spares({ pool, by: 'test', now: Date.now, logger });
  const credential = new Credential({
    name: 'corp',
    account: { username: 'alice', password: fixedSecret(new Secret('secret')) },
    schemes: ['ntlm'],
    mayGoTo: () => true,
    lockout: { attempts: 1, cooldown: 60_000, now: Date.now, onChange: () => undefined },
  });
  closeLater(() => {
    spares.close();
    pool.close();
    credential.close();
  });
  await credential.guard.admit();
  credential.guard.accepted();
  const broken = () => {
    throw new Error('a bug in a scheme');
  };
  const scheme = { name: 'ntlm', binding: 'connection', answer: broken, resume: broken } as const;
  credential.known.set('hop', { scheme, state: undefined });
  const connection = { ...OPTIONS, port: hop.port };
  const upstream = { name: 'hop', connection, idleTimeout: 1000, spare: 2, credential };
  spares.refill(upstream, credential, 'origin.test:80');
  await eventually(() => lines.length === 2);
  for (const line of lines)
    expect(JSON.parse(line)).toMatchObject({ msg: 'internal error', err: { message: 'a bug in a scheme' } });
});
