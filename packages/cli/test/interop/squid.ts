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
  /** `name:password`: whom it lets in, by Digest. */
  readonly digestUsers?: readonly string[];
  /** How often it takes a nonce of Digest. Default 50. */
  readonly nonceUses?: number;
  /** A program that verifies NTLM. */
  readonly ntlm?: string;
  /** A keytab, for Negotiate; `krb5.conf` is beside it. */
  readonly negotiate?: string;
  /** Where it listens. Default: any free one. */
  readonly port?: number;
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
  /** Of the client's side: it tells connections apart. */
  readonly port: number;
  /** Whom it recognised. */
  readonly user: string | undefined;
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
        const [status, method = '', url = '', credentials = '-', port, user = '-'] = line.split(' ');
        return {
          status: Number(status),
          method,
          url,
          credentials: credentials === '-' ? undefined : decodeURIComponent(credentials),
          port: Number(port),
          user: user === '-' ? undefined : decodeURIComponent(user),
        };
      })
  );
}

/** A real Squid, by `scripts/peers/squid`. Rejects with its log where it does not start. */
export async function startSquid(options: SquidOptions): Promise<Squid> {
  const { users = [], digestUsers = [], nonceUses, ntlm, negotiate, parent } = options;
  const port = options.port ?? (await freePort());
  const folder = makeFolder('squid');
  const args = ['--dir', folder, '--port', `${port}`, ...users.flatMap((user) => ['--user', user])];
  args.push(...digestUsers.flatMap((user) => ['--digest-user', user]));
  if (nonceUses !== undefined) args.push('--nonce-uses', `${nonceUses}`);
  if (ntlm !== undefined) args.push('--ntlm', ntlm);
  if (negotiate !== undefined) args.push('--negotiate', negotiate);
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
