import { resolve } from 'node:path';
import { unusableSpn } from '@chain407/auth';
import { duration, field, filePath, hostPattern, secretSource } from '@chain407/core';
import { z } from 'zod';
import type { SchemeChoice } from './account.ts';
import { lackingFor, SCHEME_CHOICES } from './account.ts';

const text = z.string().min(1);

/** A file, or another kind of cache as `DIR:/path`, `KCM:` or `KEYRING:…` (MIT Kerberos). */
const ccache = (baseDir: string) => text.transform((name) => (/^[A-Z]+:/.test(name) ? name : resolve(baseDir, name)));

const spn = () =>
  field<string>('service/host without a realm, such as HTTP/proxy.corp.example', (value) =>
    typeof value === 'string' && unusableSpn(value) === undefined ? value : undefined,
  );

/** Tickets: of a keytab, of a cache, or (`{}`) those that the environment leads to. */
const kerberosSchema = (baseDir: string) =>
  z.strictObject({
    principal: text.optional(),
    keytab: filePath(baseDir).optional(),
    ccache: ccache(baseDir).optional(),
    /** Default: HTTP/ and the host of the upstream's url. */
    spn: spn().optional(),
    /** Refuse a proxy that does not prove itself; Squid and others prove nothing. */
    mutual: z.boolean().default(false),
  });

/** An account of ours. `hosts`: where it may be sent; default: the upstreams that name it. */
export const credentialSchema = (baseDir: string) =>
  z.strictObject({
    username: text.optional(),
    password: secretSource(baseDir).optional(),
    /** In place of the password, for NTLM. */
    ntHash: secretSource(baseDir).optional(),
    token: secretSource(baseDir).optional(),
    kerberos: kerberosSchema(baseDir).optional(),
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
  const usual = SCHEME_CHOICES.filter(
    (choice) => choice !== 'basic' && (choice !== 'negotiate' || config.kerberos !== undefined),
  );
  return config.schemes ?? usual.filter((choice) => lackingFor(choice, present) === undefined);
}

interface Complaint {
  /** The key at fault; `undefined`: the account as a whole. */
  readonly key?: keyof CredentialConfig;
  readonly message: string;
}

/** What each key alone cannot show. */
export function* credentialComplaints(draft: Draft): Generator<Complaint> {
  const { password, ntHash, token, kerberos, username, schemes } = draft;
  if ([password, ntHash, token, kerberos].every((proof) => proof === undefined)) {
    const message =
      'expected a password, ntHash, token or kerberos: { username: alice, password: { env: CORP_PASSWORD } }';
    yield { message };
    return;
  }
  if (kerberos?.keytab !== undefined && kerberos.ccache !== undefined)
    yield { key: 'kerberos', message: 'expected either keytab or ccache' };
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
