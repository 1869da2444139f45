/** What a row counts, and how its cost is told: CPU in microseconds, or memory in bytes, divided by `scale`. */
export const UNITS = {
  request: { measure: 'cpu', label: 'µs/request', scale: 1, rate: 'requests/s' },
  tunnel: { measure: 'cpu', label: 'µs/tunnel', scale: 1, rate: 'tunnels/s' },
  gigabyte: { measure: 'cpu', label: 'ms/GB', scale: 1000, rate: 'GB/s' },
  'idle tunnel': { measure: 'memory', label: 'KiB/tunnel', scale: 1024, rate: 'tunnels/s' },
};
