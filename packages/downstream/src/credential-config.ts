import { duration, hostPattern, secretSource } from '@chain407/core';
import { z } from 'zod';
import type { SchemeChoice } from './account.ts';
import { lackingFor, SCHEME_CHOICES } from './account.ts';

const text = z.string().min(1);

/** An account of ours. `hosts`: where it may be sent; default: the upstreams that name it. */
export const credentialSchema = (baseDir: string) =>
  z.strictObject({
    username: text.optional(),
    password: secretSource(baseDir).optional(),
    /** In place of the password, for NTLM. */
    ntHash: secretSource(baseDir).optional(),
    token: secretSource(baseDir).optional(),
    /** Of a token: until it is fetched anew. A JWT says so itself. */
    lifetime: duration().optional(),
    /** Of NTLM, where `username` is not DOMAIN\\user. */
    domain: text.optional(),
    workstation: text.optional(),
    /** Digest as RFC 2069 has it, without qop, which protects against neither replay nor chosen plaintext. */
    rfc2069: z.boolean().default(false),
    /** Default: all that what is given can serve, but Basic. */
    schemes: z.array(z.enum(SCHEME_CHOICES)).min(1).readonly().optional(),
    hosts: z.array(hostPattern()).min(1).readonly().optional(),
  });

export type CredentialConfig = z.output<ReturnType<typeof credentialSchema>>;

/** Of an account where something may be missing because it is wrong. */
type Draft = { readonly [K in keyof CredentialConfig]?: CredentialConfig[K] | undefined };

const presentIn = (draft: Draft): ReadonlySet<string> =>
  new Set(Object.entries(draft).flatMap(([key, value]) => (value === undefined ? [] : [key])));

/** What the account is to use: what it names, else all that it can, but what sends a password in the clear. */
export function schemesFor(config: CredentialConfig): readonly SchemeChoice[] {
  const present = presentIn(config);
  // Raw NTLM under the name of Negotiate is what few proxies take: for those who name it.
  const usual = SCHEME_CHOICES.filter((choice) => choice !== 'basic' && choice !== 'negotiate');
  return config.schemes ?? usual.filter((choice) => lackingFor(choice, present) === undefined);
}

interface Complaint {
  /** The key at fault; `undefined`: the account as a whole. */
  readonly key?: keyof CredentialConfig;
  readonly message: string;
}

/** What each key alone cannot show. */
export function* credentialComplaints(draft: Draft): Generator<Complaint> {
  const { password, ntHash, token, username, schemes } = draft;
  if (password === undefined && ntHash === undefined && token === undefined) {
    yield { message: 'expected a password, ntHash or token: { username: alice, password: { env: CORP_PASSWORD } }' };
    return;
  }
  if (password !== undefined && ntHash !== undefined)
    yield { key: 'ntHash', message: 'expected either password or ntHash, which stands in for it' };
  if (username === undefined && (password !== undefined || ntHash !== undefined))
    yield { message: 'expected the username that goes with it' };
  for (const scheme of Array.isArray(schemes) ? schemes : []) {
    const lacking = SCHEME_CHOICES.includes(scheme) ? lackingFor(scheme, presentIn(draft)) : undefined;
    if (lacking !== undefined)
      yield { key: 'schemes', message: `expected ${lacking} beside it, which ${scheme} needs` };
  }
}
