import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PASSWORD, USER } from '../given.mjs';
import { freePort } from '../stage.mjs';

const config = ({ port, hop }) => `
Port ${port}
Listen 127.0.0.1
Timeout 600
MaxClients 10000
LogLevel Critical
Allow 127.0.0.1
Upstream http ${USER}:${PASSWORD}@127.0.0.1:${hop}
`;

/**
 * @param {import('../stage.mjs').Stage} stage
 * @param {{ hop: number }} options
 */
export async function startDownstream(stage, { hop }) {
  const folder = stage.subfolder('tinyproxy');
  const port = await freePort();
  const file = join(folder, 'tinyproxy.conf');
  writeFileSync(file, config({ port, hop }));
  return { port, pids: [await stage.startListener('tinyproxy', ['-d', '-c', file], { folder, port })] };
}
