import { createRequire } from 'node:module';
import { Secret } from '@chain407/auth';

interface Md4 {
  create(): { update(bytes: Uint8Array): { hex(): string } };
}

/** Required, not imported: it has no types. Its `create` is its own code, the rest asks Node, which has no MD4 any more. */
const md4 = createRequire(import.meta.url)('js-md4') as Md4;

/** What NTLM proves (NTOWFv1, MS-NLMP §3.3.1): MD4 over UTF-16LE, in 32 lower-case hex digits. As good as the password. */
export function ntHashOf(password: Secret): Secret {
  return new Secret(
    md4
      .create()
      .update(Buffer.from(password.reveal().normalize('NFC'), 'utf16le'))
      .hex(),
  );
}
