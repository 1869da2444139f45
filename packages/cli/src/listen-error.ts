import { EXIT, Exit } from './exit.ts';

/** Turns Node's error for a listener into one that says what to do; any other error stays as it is. */
export function portInUse(error: unknown, address: string, remedy: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return new Exit(EXIT.failed, `${address} is already in use; ${remedy}`);
  if (code === 'EACCES') return new Exit(EXIT.failed, `${address}: permission denied; ${remedy}`);
  if (code === 'EADDRNOTAVAIL') return new Exit(EXIT.failed, `${address} is no address of this machine; ${remedy}`);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return new Exit(EXIT.failed, `${address}: the name cannot be resolved; ${remedy}`);
  return error;
}
