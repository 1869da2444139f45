import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

/** Clients that mean it. `from`: the address that they have. */
export interface Clients {
  readonly port: number;
  readonly hop: number;
  readonly from?: string;
}

/** Each asks so often over a connection that it keeps, and is then gone. */
const CLIENTS = 20;
const REQUESTS = 10;

export function ask({ port, hop, from: localAddress }: Clients, agent: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const url = `http://127.0.0.1:${hop}/`;
    const headers = { host: `127.0.0.1:${hop}` };
    const asked = request({ host: '127.0.0.1', port, path: url, headers, agent, localAddress });
    asked.once('error', reject).once('response', (response) => {
      const { statusCode: status = 0, headers } = response;
      response.resume().once('end', () => resolve({ status, headers }));
    });
    asked.end();
  });
}

/** One request on a connection of its own. */
export async function askOnce(clients: Clients): Promise<Answer> {
  const agent = new Agent();
  try {
    return await ask(clients, agent);
  } finally {
    agent.destroy();
  }
}

/** The statuses of all answers, each once. */
export async function askMuch(clients: Clients): Promise<number[]> {
  const statuses = new Set<number>();
  const client = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < REQUESTS; i += 1) statuses.add((await ask(clients, agent)).status);
    agent.destroy();
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return [...statuses];
}
