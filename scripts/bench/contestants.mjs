import * as chain407 from './proxies/chain407.mjs';
import * as cntlm from './proxies/cntlm.mjs';
import * as haproxy from './proxies/haproxy.mjs';
import * as proxyChain from './proxies/proxy-chain.mjs';
import * as squid from './proxies/squid.mjs';
import * as tinyproxy from './proxies/tinyproxy.mjs';
import { installed } from './stage.mjs';

/**
 * @typedef {{ port: number, pids: number[] }} Started
 * @typedef {{
 *   startDownstream?: (stage: import('./stage.mjs').Stage, options: object) => Promise<Started>,
 *   startUpstream?: (stage: import('./stage.mjs').Stage, options: object) => Promise<Started>,
 * }} Proxy
 */

/**
 * The proxies that are compared; `--peers` names them. `there`: whether it can be run here; `reuse: false`: it keeps no
 * connection of a client alive, and does not say so either.
 */
export const PEERS = {
  chain407: { proxy: chain407, there: () => true },
  haproxy: { proxy: haproxy, there: () => installed('haproxy') },
  squid: { proxy: squid, there: () => installed('squid') },
  tinyproxy: { proxy: tinyproxy, reuse: false, there: () => installed('tinyproxy') },
  cntlm: { proxy: cntlm, there: () => installed('cntlm') },
  'proxy-chain': { proxy: proxyChain, there: proxyChain.there },
};

const own = Object.keys(PEERS).map((peer) => [peer, { peer, options: {} }]);

/** Beside so many connections that ask for nothing, each in its manner: see loads/storm.mjs. */
const STORMED = Object.fromEntries(
  ['silent', 'slow', 'half'].map((manner) => [
    `chain407, ${manner} heads`,
    { peer: 'chain407', options: {}, beside: { kind: 'storm', manner, connections: 10_000 } },
  ]),
);
export const STORMS = Object.keys(STORMED);

/** What stands in a column of a row: a peer, or one in a manner of its own; `beside`: a load that is not measured. */
export const CONTESTANTS = {
  ...Object.fromEntries(own),
  'chain407 log info': { peer: 'chain407', options: { log: 'info' } },
  'chain407 workers auto': { peer: 'chain407', options: { workers: 'auto' } },
  ...STORMED,
};
