import { Secret } from '@chain407/auth';

/** More than any password, token or ticket has; a wrong path (a device, a log) ends here and not in memory. */
export const MAX_SECRET_BYTES = 64 * 1024;

/** `why` goes on after the name of what was read: `is empty`. */
export type SecretOfBytes =
  | { readonly ok: true; readonly secret: Secret }
  | { readonly ok: false; readonly why: string };

// A byte order mark, as some editors put before UTF-8, is dropped. What is no UTF-8 would be read with its letters
// replaced, and refused by the proxy as a wrong password.
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The secret that a file or a program's output holds: all of it but the newline at its end. */
export function secretOfBytes(bytes: Uint8Array): SecretOfBytes {
  if (bytes.byteLength > MAX_SECRET_BYTES) return { ok: false, why: `holds more than ${MAX_SECRET_BYTES / 1024} KiB` };
  const text = decode(bytes);
  if (text === undefined) return { ok: false, why: 'holds no UTF-8 text' };
  // Editors and `echo` end with a newline that is no part of the password.
  const secret = text.replace(/\r?\n$/, '');
  return secret === '' ? { ok: false, why: 'is empty' } : { ok: true, secret: new Secret(secret) };
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
