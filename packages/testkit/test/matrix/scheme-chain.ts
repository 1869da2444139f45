import { fileURLToPath } from 'node:url';
import type { ChainConfig } from '../../src/index.ts';
import type { SchemeCell } from './scheme-cells.ts';

/** Passwords, or tokens. */
export const SECRETS = {
  client: 'right-horse-of-the-client',
  own: 'own-battery-staple',
  wrong: 'wrong-horse',
} as const;
const HELPER = fileURLToPath(new URL('./negotiate-helper.mjs', import.meta.url));

const withSecret = ({ scheme }: SchemeCell, text: string) =>
  scheme === 'bearer' ? { token: { value: text } } : { password: { value: text } };

/** The chain of a cell. */
export function configOf(cell: SchemeCell): ChainConfig {
  const { scheme, algorithm, identity, account } = cell;
  const helper = [process.execPath, HELPER, `client=${SECRETS.client}`, `own=${SECRETS.own}`];
  const own = account === 'wrong' ? SECRETS.wrong : SECRETS.own;
  const username = scheme === 'bearer' ? {} : { username: 'own' };
  return {
    upstream: {
      auth: {
        schemes: [scheme],
        ...(scheme === 'negotiate' ? { helpers: { negotiate: helper } } : {}),
        ...(algorithm === undefined ? {} : { digest: { algorithms: [algorithm] } }),
      },
      users: [
        { name: 'client', ...withSecret(cell, SECRETS.client) },
        { name: 'own', ...withSecret(cell, SECRETS.own) },
      ],
      access: account === 'not permitted' ? [{ deny: { users: ['own', 'client'] } }] : [{ allow: {} }],
      ports: { connect: [80] },
    },
    downstream: {
      identity,
      credentials: { own: { ...username, ...withSecret(cell, own), schemes: [scheme] } },
    },
  };
}
