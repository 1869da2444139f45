import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeFolder, remove } from './folder.ts';
import { startService } from './program.ts';
import { untilThere } from './until-accepting.ts';

const script = fileURLToPath(new URL('../../../../scripts/peers/winbind', import.meta.url));

export interface Winbind {
  /** A program that verifies NTLM for these users, by Squid's protocol. Their domain is LAB. */
  readonly helper: string;
  stop(): Promise<void>;
}

/** A real winbindd, by `scripts/peers/winbind`, with users `name:password`. */
export async function startWinbind(users: readonly string[]): Promise<Winbind> {
  const folder = makeFolder('winbind');
  const args = ['--dir', folder, ...users.flatMap((user) => ['--user', user])];
  const service = await startService(script, args, { folder }, (output) =>
    output.includes('initialize_winbindd_cache'),
  );
  const stop = async (): Promise<void> => {
    await service.stop();
    remove(folder);
  };
  try {
    await untilThere(join(folder, 'winbindd/pipe'));
  } catch (error) {
    await stop();
    throw error;
  }
  return { helper: join(folder, 'helper'), stop };
}
