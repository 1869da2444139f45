import { hashPassword } from '@chain407/upstream';
import { print } from './output.ts';
import { readPassword } from './prompt.ts';

/** Reads a password and prints what `users` and an htpasswd file take in its place. */
export async function hash(name: string, options: { readonly json?: true }): Promise<number> {
  const bcrypt = await hashPassword(await readPassword(`password of ${name}: `));
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
