import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { Chain } from '../src/index.ts';
import { RawConnection, startChain } from '../src/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'chain407-changed-'));
afterAll(() => rmSync(folder, { recursive: true }));
const GET = 'GET http://origin.test/ HTTP/1.1\r\nHost: origin.test\r\n\r\n';

async function ask(chain: Chain): Promise<number> {
  const connection = await RawConnection.connect(chain.downstream.port);
  const { status } = await connection.exchange(GET);
  connection.destroy();
  return status;
}

/** Asks again and again until this is the answer, or 20 seconds are over. */
async function becomes(chain: Chain, status: number): Promise<void> {
  const end = Date.now() + 20_000;
  for (let last = await ask(chain); last !== status; last = await ask(chain)) {
    if (Date.now() > end) throw new Error(`the answer stays ${last}`);
  }
}

const attempts = (chain: Chain): number =>
  chain.legs().filter(({ from, credentials }) => from === 'downstream' && credentials?.fields.response !== undefined)
    .length;

describe('a secret that is changed while the chain runs', () => {
  test.each<readonly [string, (path: string) => object, (path: string, text: string) => void]>([
    ['in a file that is written anew', (path) => ({ file: path }), (path, text) => writeFileSync(path, text)],
    [
      'in a file that is replaced',
      (path) => ({ file: path }),
      (path, text) => {
        writeFileSync(`${path}.new`, text);
        renameSync(`${path}.new`, path);
      },
    ],
  ])('%s re-opens the guard at once', async (name, source, write) => {
    const path = join(folder, name.replace(/ /g, '-'));
    writeFileSync(path, 'wrong');
    const chain = await startChain({
      upstream: { auth: { schemes: ['digest'] }, users: [{ name: 'alice', password: { value: 'right' } }] },
      downstream: { credentials: { corp: { username: 'alice', password: source(path), schemes: ['digest'] } } },
    });
    try {
      expect([await ask(chain), await ask(chain)]).toEqual([407, 407]);
      expect(attempts(chain)).toBe(1);
      write(path, 'right\n');
      await becomes(chain, 200);
      expect(attempts(chain)).toBe(2);
    } finally {
      await chain.close();
    }
  });

  test('behind a command is asked for again after a refusal, and used where it is another one', async () => {
    const path = join(folder, 'of-the-command');
    writeFileSync(path, 'wrong');
    const command = [
      process.execPath,
      '-e',
      `process.stdout.write(require('fs').readFileSync(${JSON.stringify(path)}))`,
    ];
    const chain = await startChain({
      upstream: { users: [{ name: 'alice', password: { value: 'right' } }] },
      downstream: { credentials: { corp: { username: 'alice', password: { command }, schemes: ['basic'] } } },
    });
    try {
      writeFileSync(path, 'right');
      expect(await ask(chain)).toBe(407);
      await becomes(chain, 200);
    } finally {
      await chain.close();
    }
  });

  test('that is a token is fetched once where the proxy calls it invalid, and the request goes through', async () => {
    const path = join(folder, 'token');
    writeFileSync(path, 'old-token');
    const command = [
      process.execPath,
      '-e',
      `process.stdout.write(require('fs').readFileSync(${JSON.stringify(path)}))`,
    ];
    const chain = await startChain({
      upstream: { auth: { schemes: ['bearer'] }, users: [{ name: 'robot', token: { value: 'new-token' } }] },
      downstream: { credentials: { corp: { token: { command }, schemes: ['bearer'] } } },
    });
    try {
      writeFileSync(path, 'new-token');
      expect([await ask(chain), await ask(chain)]).toEqual([200, 200]);
    } finally {
      await chain.close();
    }
  });
});
