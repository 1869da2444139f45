/** `name:password`. A colon and a letter beyond ASCII in the password: what is not RFC 7617 to the letter fails here. */
export const ALICE = 'alice:open:sésame';
export const BOB = 'bob:builder';
export const WRONG = 'bob:wrong';

export interface Account {
  readonly name: string;
  readonly password: string;
}

export function accountOf(user: string): Account {
  const colon = user.indexOf(':');
  return { name: user.slice(0, colon), password: user.slice(colon + 1) };
}

/** As it stands in a `Proxy-Authorization`. */
export function basic(user: string): string {
  return `Basic ${Buffer.from(user, 'utf8').toString('base64')}`;
}

/** What nobody but the peers that it is meant for may be shown: passwords, and credentials as they travel. */
export const SECRETS: readonly string[] = [ALICE, BOB].flatMap((user) => [
  accountOf(user).password,
  Buffer.from(user, 'utf8').toString('base64'),
]);
