import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NAME, PASSWORD, USER } from '../given.mjs';
import { freePort } from '../stage.mjs';

const HELPER = '/usr/lib/squid/basic_ncsa_auth';

const config = ({ folder, port, rules }) => `
http_port 127.0.0.1:${port}
visible_hostname squid-${port}.test
pid_filename ${folder}/squid.pid
cache_log ${folder}/cache.log
access_log none
cache_store_log none
coredump_dir ${folder}
cache deny all
cache_mem 8 MB
memory_cache_shared off
max_filedescriptors 16384
pinger_enable off
icp_port 0
netdb_filename none
dns_nameservers 127.0.0.1
hosts_file ${folder}/hosts
shutdown_lifetime 0 seconds
${rules}
http_access allow localhost
http_access deny all
`;

async function start(stage, rules) {
  const folder = stage.subfolder('squid');
  const port = await freePort();
  const file = join(folder, 'squid.conf');
  // Squid looks names up even where it hands everything to a parent; waiting for a name server would double its cost.
  writeFileSync(join(folder, 'hosts'), `127.0.0.1 ${NAME}\n`);
  writeFileSync(file, config({ folder, port, rules: rules(folder) }));
  // Squid gives root's rights up; the account that it takes instead has to write here.
  if (process.getuid?.() === 0) {
    execFileSync('chmod', ['755', stage.folder]);
    execFileSync('chown', ['-R', 'proxy:', folder]);
  }
  // -n: its shared memory and its pid are its own, so that several can run.
  const args = ['-N', '-n', `bench${port}`, '-f', file];
  return { port, pids: [await stage.startListener('squid', args, { folder, port })] };
}

/**
 * @param {import('../stage.mjs').Stage} stage
 * @param {{ hop: number }} options
 */
export function startDownstream(stage, { hop }) {
  return start(
    stage,
    () => `cache_peer 127.0.0.1 parent ${hop} 0 no-query no-digest default login=${USER}:${PASSWORD}
never_direct allow all`,
  );
}

/**
 * @param {import('../stage.mjs').Stage} stage
 * @param {{ hash: string }} options `hash`: as in an htpasswd file
 */
export function startUpstream(stage, { hash }) {
  return start(stage, (folder) => {
    writeFileSync(join(folder, 'htpasswd'), `${USER}:${hash}\n`);
    return `auth_param basic program ${HELPER} ${folder}/htpasswd
auth_param basic children 2 startup=1 idle=1
auth_param basic realm bench
acl known proxy_auth REQUIRED
http_access deny !known`;
  });
}
