import { Agent, request as send } from 'node:http';
import { repeat } from './tally.mjs';

/**
 * Requests over kept-alive connections, where wrk is not installed, or each over a connection of its own, where the proxy keeps
 * none: wrk takes that for errors. It costs more than most of what it measures.
 *
 * @param {{
 *   port: number, method: string, url: string, content: number, size: number, credentials?: string, seconds: number,
 *   concurrency: number, reuse: boolean,
 * }} options `content`: bytes of the request's content; `size`: of the response's
 */
export async function load({ port, method, url, content, size, credentials, seconds, concurrency, reuse }) {
  // Without an agent each request has a connection of its own.
  const agent = reuse && new Agent({ keepAlive: true, maxSockets: concurrency });
  const body = Buffer.alloc(content, 'x');
  const headers = {
    Host: new URL(url).host,
    Connection: 'keep-alive',
    ...(content > 0 ? { 'Content-Length': content } : {}),
    ...(credentials === undefined ? {} : { 'Proxy-Authorization': credentials }),
  };
  const once = () =>
    new Promise((resolve, reject) => {
      const outgoing = send({ host: '127.0.0.1', port, method, path: url, headers, agent, timeout: 15_000 });
      outgoing.on('error', reject);
      outgoing.on('timeout', () => outgoing.destroy(new Error('not a byte for 15 s')));
      outgoing.on('response', (response) => {
        let got = 0;
        response.on('data', (bytes) => {
          got += bytes.length;
        });
        response.on('error', reject);
        response.on('end', () => {
          if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`));
          else if (got !== size) reject(new Error(`${got} bytes of ${size}`));
          else resolve();
        });
      });
      outgoing.end(body);
    });
  try {
    return await repeat({ seconds, concurrency }, once);
  } finally {
    if (agent !== false) agent.destroy();
  }
}
