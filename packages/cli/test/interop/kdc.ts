import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeFolder, remove } from './folder.ts';
import { freePort } from './free-port.ts';
import { startService } from './program.ts';

const script = fileURLToPath(new URL('../../../../scripts/peers/kdc', import.meta.url));

export interface Kdc {
  /** For `KRB5_CONFIG`. */
  readonly config: string;
  /** Of the services. */
  readonly keytab: string;
  /** Of a user: a keytab, and a cache with a ticket. */
  keytabOf(user: string): string;
  ccacheOf(user: string): string;
  stop(): Promise<void>;
}

/** A real KDC of MIT Kerberos, realm LAB.TEST, by `scripts/peers/kdc`, with users `name:password` and `HTTP/localhost`. */
export async function startKdc(users: readonly string[]): Promise<Kdc> {
  const folder = makeFolder('kdc');
  const accounts = users.flatMap((user) => ['--user', user]);
  const args = ['--dir', folder, '--port', `${await freePort()}`, ...accounts, '--service', 'HTTP/localhost'];
  const service = await startService(script, args, { folder }, () => existsSync(join(folder, 'ready')));
  return {
    config: join(folder, 'krb5.conf'),
    keytab: join(folder, 'services.keytab'),
    keytabOf: (user) => join(folder, `${user}.keytab`),
    ccacheOf: (user) => join(folder, `${user}.ccache`),
    stop: async () => {
      await service.stop();
      remove(folder);
    },
  };
}
