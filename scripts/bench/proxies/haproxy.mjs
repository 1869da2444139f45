import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BASIC } from '../given.mjs';
import { freePort } from '../stage.mjs';

const config = ({ port, hop }) => `
global
  maxconn 6000
  nbthread 1
defaults
  mode http
  timeout connect 10s
  timeout client 1h
  timeout server 1h
  timeout tunnel 1h
frontend clients
  bind 127.0.0.1:${port}
  default_backend hop
backend hop
  http-reuse always
  http-request set-header Proxy-Authorization "${BASIC}"
  server hop 127.0.0.1:${hop}
`;

/**
 * HAProxy knows no authentication to proxies: a header that never changes does for Basic.
 *
 * @param {import('../stage.mjs').Stage} stage
 * @param {{ hop: number }} options
 */
export async function startDownstream(stage, { hop }) {
  const folder = stage.subfolder('haproxy');
  const port = await freePort();
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(file, config({ port, hop }));
  return { port, pids: [await stage.startListener('haproxy', ['-db', '-q', '-f', file], { folder, port })] };
}
