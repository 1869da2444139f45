import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeFolder, remove } from './folder.ts';
import { startService } from './program.ts';

const bin = fileURLToPath(new URL('../../bin/chain407.cjs', import.meta.url));

/** What is to be run: both tiers, or one as it is deployed. */
export type TierCommand = 'up' | 'downstream' | 'upstream';

interface Ready {
  readonly downstream?: { readonly url: string };
  readonly upstream?: { readonly url: string };
}

export interface Chain extends AsyncDisposable {
  /** The proxy that clients are to use. */
  readonly url: string;
  readonly port: number;
  /** Ends it by SIGTERM; returns its exit status and all that it wrote, logs included. */
  stop(): Promise<{ readonly status: number | undefined; readonly output: string }>;
}

/** Runs the built command on a configuration (any value; JSON is YAML) and waits until it accepts. */
export async function startChain407(
  command: TierCommand,
  config: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string>> = {},
): Promise<Chain> {
  const folder = makeFolder(command);
  const file = join(folder, 'chain.yaml');
  const ready = join(folder, 'ready.json');
  writeFileSync(file, JSON.stringify({ log: { level: 'trace' }, ...config }));
  const args = [bin, command, '-c', file, '--ready-file', ready];
  const service = await startService(process.execPath, args, { folder, env }, () => existsSync(ready));
  const { downstream, upstream } = JSON.parse(readFileSync(ready, 'utf8')) as Ready;
  const url = (downstream ?? upstream)?.url;
  if (url === undefined) throw new Error(`the ready file of "chain407 ${command}" names no tier`);
  const stop = async () => {
    const status = await service.stop();
    remove(folder);
    return { status, output: service.output() };
  };
  return {
    url,
    port: Number(new URL(url).port),
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
}
