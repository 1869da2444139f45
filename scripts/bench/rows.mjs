import { STORMS } from './contestants.mjs';

const KB = 1024;

/** Requests over this many connections, which are kept alive. */
const get = (size) => ({ kind: 'http', method: 'GET', path: `/${size}`, content: 0, size, concurrency: 32 });
const post = { kind: 'http', method: 'POST', path: '/taken', content: 1024 * KB, size: 2, concurrency: 16 };
const connect = { kind: 'connect', concurrency: 16 };
const tunnel = (direction) => ({ kind: 'tunnel', direction, concurrency: 1 });
/** As much as a TLS handshake sends. `files`: descriptors that a proxy needs for two connections each, and some. */
const idle = { kind: 'idle', tunnels: 5000, bytes: 3 * KB, files: 10_500 };

const FORWARDERS = ['chain407', 'haproxy', 'squid', 'tinyproxy', 'proxy-chain'];

/**
 * What is compared. `setting` is one of settings.mjs: what lies in front of and behind the proxy; `fresh`: every measurement
 * takes processes that have just started.
 *
 * @type {readonly {
 *   name: string, title: string, unit: keyof typeof import('./units.mjs').UNITS, setting: string, load: object,
 *   contestants: readonly string[], fresh?: boolean,
 * }[]}
 */
export const ROWS = [
  {
    name: 'get-1k-basic',
    title: '1 KB GET, Basic substituted',
    unit: 'request',
    setting: 'basic',
    load: get(KB),
    contestants: FORWARDERS,
  },
  {
    name: 'get-1k-digest',
    title: '1 KB GET, Digest',
    unit: 'request',
    setting: 'digest',
    load: get(KB),
    contestants: ['chain407'],
  },
  {
    name: 'get-1k-ntlm',
    title: '1 KB GET, NTLM',
    unit: 'request',
    setting: 'ntlm',
    load: get(KB),
    contestants: ['chain407', 'cntlm'],
  },
  {
    name: 'get-64k',
    title: '64 KB GET, Basic',
    unit: 'request',
    setting: 'basic',
    load: get(64 * KB),
    contestants: FORWARDERS,
  },
  {
    name: 'post-1m',
    title: 'POST of 1 MB, Basic',
    unit: 'request',
    setting: 'basic',
    load: post,
    contestants: FORWARDERS,
  },
  {
    name: 'connect-basic',
    title: 'CONNECT set-up and tear-down, Basic',
    unit: 'tunnel',
    setting: 'basic',
    load: connect,
    contestants: FORWARDERS,
  },
  {
    name: 'connect-ntlm',
    title: 'CONNECT set-up and tear-down, NTLM',
    unit: 'tunnel',
    setting: 'ntlm',
    load: connect,
    contestants: ['chain407', 'cntlm'],
  },
  {
    name: 'tunnel-down',
    title: '1 GB down a tunnel',
    unit: 'gigabyte',
    setting: 'basic',
    load: tunnel('down'),
    contestants: FORWARDERS,
  },
  {
    name: 'tunnel-up',
    title: '1 GB up a tunnel',
    unit: 'gigabyte',
    setting: 'basic',
    load: tunnel('up'),
    contestants: FORWARDERS,
  },
  {
    name: 'idle',
    title: '5,000 idle tunnels',
    unit: 'idle tunnel',
    setting: 'basic',
    load: idle,
    contestants: FORWARDERS,
    fresh: true,
  },
  {
    name: 'storm',
    title: '1 KB GET, Basic, beside 10,000 connections that ask for nothing',
    unit: 'request',
    setting: 'basic',
    // One at a time: its latency, not what is left of the processor.
    load: { ...get(KB), concurrency: 1, files: 14_000 },
    contestants: ['chain407', ...STORMS],
  },
  {
    name: 'upstream',
    title: 'the upstream alone, Basic, 1 KB GET',
    unit: 'request',
    setting: 'upstream',
    load: get(KB),
    contestants: ['chain407', 'squid'],
  },
  {
    name: 'chain',
    title: 'the whole chain, Basic, 1 KB GET',
    unit: 'request',
    setting: 'chain',
    load: get(KB),
    contestants: ['chain407', 'squid'],
  },
  {
    name: 'access-log',
    title: '1 KB GET, Basic, with an access log (info)',
    unit: 'request',
    setting: 'basic',
    load: get(KB),
    contestants: ['chain407', 'chain407 log info'],
  },
  {
    name: 'workers',
    title: '1 KB GET, Basic, workers: auto',
    unit: 'request',
    setting: 'basic',
    load: get(KB),
    contestants: ['chain407', 'chain407 workers auto'],
  },
];
