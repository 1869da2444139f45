import { MemoryStore } from '../../packages/core/dist/index.js';
import { startChain } from '../../packages/testkit/dist/index.js';

/** Kept connections end soon: what is left after that is a leak. */
const IDLE = '1s';
/** So do nonces; in the last quarter each is followed by another one, which gives a HEAD and the upload behind it that time. */
const NONCE = '3s';

/** One chain for each way to authenticate; in `relay` the client does it. */
export function startChains() {
  return Promise.all(['basic', 'digest', 'ntlm', 'relay'].map(start));
}

async function start(name) {
  const scheme = name === 'relay' ? 'basic' : name;
  const state = new MemoryStore(Date.now);
  const config = {
    upstream: { auth: { schemes: [scheme], digest: { nonceLifetime: NONCE } }, limits: { idleTimeout: IDLE } },
    downstream: {
      identity: name === 'relay' ? 'relay' : 'substitute',
      upstreams: { upstream: { idleTimeout: IDLE, spare: 2 } },
      limits: { idleTimeout: IDLE, replayBody: '64KiB', replayMemory: '256KiB' },
    },
  };
  const chain = await startChain(config, { state });
  const line = `Proxy-Authorization: Basic ${Buffer.from('alice:secret').toString('base64')}\r\n`;
  return {
    name,
    port: chain.downstream.port,
    credentials: name === 'relay' ? line : '',
    /** Connections of clients and between the tiers. */
    connections: () => chain.downstream.connections + chain.upstream.connections + chain.origin.connections,
    nonces: () => state.nonces,
    /** What the testkit keeps for tests to look at. */
    forget: () => {
      chain.clearLegs();
      chain.origin.requests.splice(0);
    },
    close: () => chain.close(),
  };
}
