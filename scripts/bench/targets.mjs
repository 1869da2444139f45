import { STORMS } from './contestants.mjs';

/**
 * What is to be reached: in `row`, `contestant` against another one of the same row, as a ratio of cost (CPU, or memory where
 * the row is about memory), of throughput or of a time. `cores`: counts only on a machine with at least, or at most, so many.
 *
 * @type {readonly {
 *   row: string, contestant: string, against: string, measure: 'cost' | 'throughput' | 'p50', atMost?: number, atLeast?: number,
 *   cores?: { atLeast?: number, atMost?: number },
 * }[]}
 */
export const TARGETS = [
  { row: 'get-1k-basic', contestant: 'chain407', against: 'haproxy', measure: 'cost', atMost: 1.5 },
  { row: 'get-1k-basic', contestant: 'chain407', against: 'squid', measure: 'cost', atMost: 0.45 },
  { row: 'get-1k-ntlm', contestant: 'chain407', against: 'cntlm', measure: 'cost', atMost: 0.1 },
  { row: 'connect-basic', contestant: 'chain407', against: 'squid', measure: 'cost', atMost: 1.2 },
  { row: 'tunnel-down', contestant: 'chain407', against: 'squid', measure: 'cost', atMost: 1 },
  { row: 'tunnel-up', contestant: 'chain407', against: 'squid', measure: 'cost', atMost: 1 },
  { row: 'idle', contestant: 'chain407', against: 'squid', measure: 'cost', atMost: 0.2 },
  { row: 'upstream', contestant: 'chain407', against: 'squid', measure: 'cost', atMost: 1 },
  { row: 'access-log', contestant: 'chain407 log info', against: 'chain407', measure: 'cost', atMost: 1.25 },
  ...STORMS.map((contestant) => ({
    row: 'storm',
    contestant,
    against: 'chain407',
    measure: /** @type {const} */ ('p50'),
    atMost: 1.25,
  })),
  // Where the load generator and the next hop leave two workers no cores, only the cost per request can be seen.
  {
    row: 'workers',
    contestant: 'chain407 workers auto',
    against: 'chain407',
    measure: 'throughput',
    atLeast: 1.6,
    cores: { atLeast: 4 },
  },
  {
    row: 'workers',
    contestant: 'chain407 workers auto',
    against: 'chain407',
    measure: 'cost',
    atMost: 1.1,
    cores: { atMost: 3 },
  },
];
