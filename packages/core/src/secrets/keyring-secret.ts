import { Secret } from '@chain407/auth';
import type { ReadSecret } from '../config/secret-source.ts';

/** What is used of `@napi-rs/keyring`. */
export interface Keyring {
  readonly AsyncEntry: new (service: string, account: string) => { getPassword(): Promise<string | null> };
}

/** Loaded only where a configuration names a keyring: it is native, and optional. */
export type LoadKeyring = () => Promise<Keyring>;

export const loadKeyring: LoadKeyring = () => import('@napi-rs/keyring');

/** A locked keyring asks the user on the screen, and does not answer until then. */
const KEYRING_TIMEOUT = 60_000;

/** Reads a password from the keyring of the system: Secret Service, Keychain or Credential Manager. */
export async function readKeyring(
  service: string,
  account: string,
  load: LoadKeyring = loadKeyring,
  timeout: number = KEYRING_TIMEOUT,
): Promise<ReadSecret> {
  const failed = (why: string): ReadSecret => ({ ok: false, message: `the keyring ${why}` });
  let keyring: Keyring;
  try {
    keyring = await load();
  } catch {
    return failed('cannot be used: install the optional package @napi-rs/keyring, or take the secret from a file');
  }
  try {
    const password = await within(timeout, new keyring.AsyncEntry(service, account).getPassword());
    if (password === undefined) return failed(`does not answer within ${timeout / 1000} s: unlock it`);
    if (password === null) {
      return failed(
        `has no password for the account ${account} of ${service}: store it there${
          process.platform === 'linux' ? `; without a Secret Service (DBUS_SESSION_BUS_ADDRESS) nothing is found` : ''
        }`,
      );
    }
    if (password === '') return failed(`has an empty password for the account ${account} of ${service}`);
    return { ok: true, secret: new Secret(password) };
  } catch (error) {
    return failed(
      `cannot be read: ${error instanceof Error ? error.message : 'unknown'}; is a keyring service running and unlocked for this user?`,
    );
  }
}

/** `undefined` where it takes longer. */
async function within<T>(timeout: number, answer: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, timeout, undefined);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
