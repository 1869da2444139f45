import { unsendable } from '@chain407/auth';
import { hashPassword, MAX_BCRYPT_PASSWORD } from '@chain407/upstream';
import { EXIT, Exit } from './exit.ts';
import { print } from './output.ts';
import { readPassword } from './prompt.ts';

/** Reads a password and prints what `users` and an htpasswd file take in its place. */
export async function hash(name: string, options: { readonly json?: true }): Promise<number> {
  const password = await readPassword(`password of ${name}: `);
  const unfit = unsendable(name, password);
  if (unfit !== undefined) throw new Exit(EXIT.usage, `nobody could log in with this: ${unfit}`);
  if (Buffer.byteLength(password.reveal().normalize('NFC')) > MAX_BCRYPT_PASSWORD) {
    throw new Exit(
      EXIT.usage,
      `expected a password of at most ${MAX_BCRYPT_PASSWORD} bytes: bcrypt does not look at the rest`,
    );
  }
  const bcrypt = await hashPassword(password);
  if (options.json === true) print(JSON.stringify({ name, hash: bcrypt }));
  else
    print(
      [
        `# for upstream.users:`,
        `- { name: ${JSON.stringify(name)}, hash: '${bcrypt}' }`,
        `# for an htpasswd file:`,
        `${name}:${bcrypt}`,
      ].join('\n'),
    );
  return 0;
}
