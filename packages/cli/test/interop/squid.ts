import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeFolder, remove } from './folder.ts';
import { freePort } from './free-port.ts';
import { startService } from './program.ts';
import { untilAccepting } from './until-accepting.ts';

const LOG = 'access.log';
const script = fileURLToPath(new URL('../../../../scripts/peers/squid', import.meta.url));

export interface SquidOptions {
  /** `name:password`: whom it lets in, by Basic; without it, everybody. */
  readonly users?: readonly string[];
  /** The proxy that it hands everything to. */
  readonly parent?: { readonly port: number; readonly login: string };
}

/** A line of Squid's access log. */
export interface Attempt {
  readonly status: number;
  readonly method: string;
  readonly url: string;
  /** The value of Proxy-Authorization; `undefined`: none came. */
  readonly credentials: string | undefined;
}

export interface Squid extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Ends it and returns what it logged; an exchange is logged only once it is over. */
  stop(): Promise<readonly Attempt[]>;
}

function attempts(log: string): readonly Attempt[] {
  return (
    log
      .split('\n')
      // Status 0: a connection that ended without a request.
      .filter((line) => line !== '' && !line.startsWith('0 '))
      .map((line) => {
        const [status, method = '', url = '', credentials = '-'] = line.split(' ');
        return {
          status: Number(status),
          method,
          url,
          credentials: credentials === '-' ? undefined : decodeURIComponent(credentials),
        };
      })
  );
}

/** A real Squid, by `scripts/peers/squid`. Rejects with its log where it does not start. */
export async function startSquid({ users = [], parent }: SquidOptions): Promise<Squid> {
  const port = await freePort();
  const folder = makeFolder('squid');
  const args = ['--dir', folder, '--port', `${port}`, ...users.flatMap((user) => ['--user', user])];
  if (parent !== undefined) args.push('--parent', `127.0.0.1:${parent.port}`, '--login', parent.login);
  const service = await startService(script, args, { folder }, (output) => output.includes('Accepting HTTP Socket'));
  const stop = async (): Promise<readonly Attempt[]> => {
    await service.stop();
    const log = existsSync(join(folder, LOG)) ? readFileSync(join(folder, LOG), 'utf8') : '';
    remove(folder);
    return attempts(log);
  };
  try {
    // It says so a moment before it does so.
    await untilAccepting(port);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
}
