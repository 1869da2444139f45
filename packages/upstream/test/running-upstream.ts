import { createLogger } from '@chain407/core';
import { hangingPort } from '@chain407/testkit';
import type { Upstream } from '../src/index.ts';
import { startUpstream, upstreamSchema } from '../src/index.ts';

const opened: (() => unknown)[] = [];

/** What {@link cleanUp} closes, the last opened first. */
export function closeLater(close: () => unknown): void {
  opened.push(close);
}

/** For `afterEach`. */
export async function cleanUp(): Promise<void> {
  for (let close = opened.pop(); close !== undefined; close = opened.pop()) await close();
}

/** A running upstream and the lines that it logged. */
export interface RunningUpstream extends Upstream {
  readonly lines: readonly string[];
}

/** Without `users`, nobody is asked; every port and address is open unless `section` says otherwise. */
export async function runUpstream(section: Record<string, unknown> = {}): Promise<RunningUpstream> {
  const lines: string[] = [];
  const config = upstreamSchema('/').parse({
    listen: '127.0.0.1:0',
    auth: { anonymous: section.users === undefined },
    private: 'allow',
    ports: { connect: ['1-65535'], any: ['1-65535'] },
    ...section,
    limits: { drain: '1s', ...(section.limits as object | undefined) },
  });
  const logger = createLogger('trace', { write: (line: string) => void lines.push(line) });
  const upstream = await startUpstream(config, { logger });
  closeLater(() => upstream.kill());
  return Object.assign(upstream, { lines });
}

export const basic = (userPass: string): string => `Basic ${Buffer.from(userPass).toString('base64')}`;
export const ALICE = { name: 'alice', password: { value: 'open sesame' } };
export const AS_ALICE = `Proxy-Authorization: ${basic('alice:open sesame')}\r\n`;

/** A port of `hangingPort` of the testkit, until the end of the test. */
export async function hanging(): Promise<number> {
  const { port, close } = await hangingPort();
  closeLater(close);
  return port;
}
