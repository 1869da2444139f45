import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@chain407/core';
import { afterEach, expect, test } from '@jest/globals';
import { startUpstream, upstreamSchema } from '../src/index.ts';
import { basic, cleanUp, closeLater } from './running-upstream.ts';

afterEach(cleanUp);

/** Lines of an htpasswd file; the passwords are the names: `printf %s alice | openssl dgst -sha1 -binary | base64`. */
const ALICE = 'alice:{SHA}UisnajVr3zkBPfq+os1D4UHsyeg=\n';
const BOB = 'bob:{SHA}SBgazSKz7a68ikR4aKfffOYpkgo=\n';

/** An upstream with a file of users. `rewritten`: what it logs next, once the file has this text. */
async function withUserFile(first: string) {
  const folder = mkdtempSync(join(tmpdir(), 'chain407-users-'));
  closeLater(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'htpasswd');
  writeFileSync(path, first);
  let logged: (line: string) => void = () => undefined;
  const logger = createLogger('info', { write: (line) => logged((JSON.parse(line) as { msg: string }).msg) });
  const section = { listen: '127.0.0.1:0', users: [{ htpasswd: path }] };
  const upstream = await startUpstream(upstreamSchema('/').parse(section), { logger });
  closeLater(() => upstream.kill());
  const rewritten = (text: string): Promise<string> =>
    new Promise((resolve) => {
      logged = (line) => line !== 'exchange' && resolve(line);
      // As editors and deployments do it: the whole file at once.
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
    });
  const status = async (name: string): Promise<number | undefined> => {
    const headers = { 'Proxy-Authorization': basic(`${name}:${name}`) };
    const asked = request({ port: upstream.port, method: 'OPTIONS', path: '*', headers, agent: false }).end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  };
  return { path, rewritten, status };
}

test('a file of users that changes is read again: who was added is known, who was taken out is not', async () => {
  const { rewritten, status } = await withUserFile(ALICE);
  expect([await status('alice'), await status('bob')]).toEqual([200, 407]);
  expect(await rewritten(BOB)).toBe('the users were read again: 1');
  expect([await status('alice'), await status('bob')]).toEqual([407, 200]);
});

test('a file that cannot be used changes nothing, and the log says which line is wrong; when it is mended it counts', async () => {
  const { path, rewritten, status } = await withUserFile(ALICE);
  const why = await rewritten(`${ALICE}no colon\n${BOB}`);
  expect(why).toContain(`upstream.users[0].htpasswd: ${path}:2`);
  expect(why).toContain('the users stay as they were');
  expect([await status('alice'), await status('bob')]).toEqual([200, 407]);
  await rewritten(ALICE + BOB);
  expect([await status('alice'), await status('bob')]).toEqual([200, 200]);
});
