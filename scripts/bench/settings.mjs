import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BASIC, HASH, NAME, PASSWORD, USER } from './given.mjs';
import * as chain407 from './proxies/chain407.mjs';
import { beside, freePort, installed } from './stage.mjs';

const nginxConfig = ({ folder, port }) => `
daemon off;
master_process off;
worker_rlimit_nofile 16384;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events { worker_connections 8192; }
http {
  access_log off;
  keepalive_requests 1000000000;
  client_max_body_size 8m;
  client_body_buffer_size 2m;
  client_body_temp_path ${folder};
  proxy_temp_path ${folder};
  fastcgi_temp_path ${folder};
  uwsgi_temp_path ${folder};
  scgi_temp_path ${folder};
  open_file_cache max=16;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${folder}/files;
    location = /taken { return 200 "ok"; }
  }
}
`;

async function startHttpOrigin(stage, size) {
  if (!installed('nginx')) {
    const { told } = await stage.startNode([beside('ends/http-origin.mjs')], { folder: stage.subfolder('origin') });
    return told.port;
  }
  const folder = stage.subfolder('nginx');
  const port = await freePort();
  mkdirSync(join(folder, 'files'));
  writeFileSync(join(folder, 'files', `${size}`), Buffer.alloc(size, 'x'));
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, nginxConfig({ folder, port }));
  await stage.startListener('nginx', ['-e', join(folder, 'error.log'), '-c', file], { folder, port });
  return port;
}

async function startOrigin(stage, { kind, size }) {
  if (kind === 'http') return startHttpOrigin(stage, size);
  const { told } = await stage.startNode([beside('ends/tunnel-origin.mjs')], { folder: stage.subfolder('tunnel-end') });
  return told.port;
}

/** A hop that costs little beside the proxy that is measured, and is the origin itself. */
const byNextHop = (scheme) => async (stage) => {
  const args = [beside('ends/next-hop.mjs'), scheme, `${USER}:${PASSWORD}`];
  const { told } = await stage.startNode(args, { folder: stage.subfolder('next-hop') });
  return {
    authority: NAME,
    start: (proxy, options) => proxy.startDownstream(stage, { ...options, hop: told.port, scheme }),
  };
};

/**
 * What lies around the proxy that is measured. Each starts it on a stage, and returns the authority that clients ask for, what
 * they send of their own, and how a contestant is started.
 */
export const SETTINGS = {
  basic: byNextHop('basic'),
  ntlm: byNextHop('ntlm'),
  digest: async (stage, load) => {
    const origin = await startOrigin(stage, load);
    // Who asks for Digest has to count: the hop is one of ours.
    const hop = await chain407.startUpstream(stage, { scheme: 'digest' });
    return {
      authority: `127.0.0.1:${origin}`,
      start: (proxy, options) => proxy.startDownstream(stage, { ...options, hop: hop.port, scheme: 'digest' }),
    };
  },
  upstream: async (stage, load) => {
    const origin = await startOrigin(stage, load);
    return {
      authority: `127.0.0.1:${origin}`,
      credentials: BASIC,
      start: (proxy, options) => proxy.startUpstream(stage, { ...options, scheme: 'basic', hash: HASH }),
    };
  },
  chain: async (stage, load) => {
    const origin = await startOrigin(stage, load);
    return {
      authority: `127.0.0.1:${origin}`,
      start: async (proxy, options) => {
        const upstream = await proxy.startUpstream(stage, { ...options, scheme: 'basic', hash: HASH });
        const downstream = await proxy.startDownstream(stage, { ...options, hop: upstream.port, scheme: 'basic' });
        return { port: downstream.port, pids: [...downstream.pids, ...upstream.pids] };
      },
    };
  },
};
