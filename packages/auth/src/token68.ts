/** Why a token is not what its specification says. Thrown by readers at any depth, and caught by {@link readToken} only. */
export class Unreadable extends Error {}

export type ReadToken<T> = ({ readonly ok: true } & T) | { readonly ok: false; readonly why: string };

/** In bytes: no offset or length in use is larger, and a header line of more is refused by most proxies. */
const MAX_TOKEN = 65_536;
/** Padding may be missing, as some clients leave it off. */
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** What `read` makes of the bytes of a token68 in base64; it throws {@link Unreadable}, this does not. */
export function readToken<T extends object>(token68: string, read: (bytes: Buffer) => T): ReadToken<T> {
  // Before it is decoded.
  if (Buffer.byteLength(token68, 'base64') > MAX_TOKEN) return { ok: false, why: `longer than ${MAX_TOKEN} bytes` };
  if (!BASE64.test(token68)) return { ok: false, why: 'no base64' };
  try {
    return { ok: true, ...read(Buffer.from(token68, 'base64')) };
  } catch (error) {
    if (error instanceof Unreadable) return { ok: false, why: error.message };
    throw error;
  }
}
