import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PASSWORD, USER } from '../given.mjs';
import { freePort } from '../stage.mjs';

const config = ({ port, hop }) => `
Username ${USER}
Domain CHAIN407
Password ${PASSWORD}
Auth NTLMv2
Proxy 127.0.0.1:${hop}
Listen 127.0.0.1:${port}
`;

/**
 * @param {import('../stage.mjs').Stage} stage
 * @param {{ hop: number }} options
 */
export async function startDownstream(stage, { hop }) {
  const folder = stage.subfolder('cntlm');
  const port = await freePort();
  const file = join(folder, 'cntlm.conf');
  writeFileSync(file, config({ port, hop }), { mode: 0o600 });
  return { port, pids: [await stage.startListener('cntlm', ['-f', '-c', file], { folder, port })] };
}
