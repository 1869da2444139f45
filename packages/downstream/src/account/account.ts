import { randomBytes } from 'node:crypto';
import type { ClientScheme, Clock, Entropy, NegotiateClientPorts, NegotiateOptions, Secret } from '@chain407/auth';
import {
  basicClient,
  bearerClient,
  digestClient,
  negotiateClient,
  ntlmClient,
  unusableNtHash,
  unusablePassword,
  unusableToken,
  unusableUserId,
  unusableUsername,
} from '@chain407/auth';
import type { LiveSecret } from '@chain407/core';

/** Schemes that `credentials.*.schemes` may name, strongest first. */
export const SCHEME_CHOICES = ['negotiate', 'ntlm', 'digest', 'bearer', 'basic'] as const;
export type SchemeChoice = (typeof SCHEME_CHOICES)[number];

/** A secret that may become another one while it is used, or {@link fixedSecret}. */
export type SecretPort = Pick<LiveSecret, 'current' | 'refresh' | 'renew' | 'onChange' | 'close'>;

export function fixedSecret(secret: Secret): SecretPort {
  return {
    current: secret,
    refresh: () => Promise.resolve(false),
    renew: () => Promise.resolve(secret),
    onChange: () => () => undefined,
    close: () => undefined,
  };
}

/** Where Negotiate gets its tickets, and what it asks of them. */
export interface Tickets extends NegotiateClientPorts, NegotiateOptions {
  close(): void;
}

/** What an account proves itself by, one of them or several for several schemes. */
export interface Account {
  readonly username?: string | undefined;
  readonly password?: SecretPort;
  /** In place of the password, for NTLM: MD4 of it, in 32 hexadecimal digits. */
  readonly ntHash?: SecretPort;
  readonly token?: SecretPort;
  /** Milliseconds that a token is good for. */
  readonly lifetime?: number | undefined;
  /** Of NTLM, where the user name does not say. */
  readonly domain?: string | undefined;
  readonly workstation?: string | undefined;
  /** For Negotiate: tickets in place of a password. */
  readonly kerberos?: Tickets;
  /** Of Digest: answers challenges without qop. */
  readonly rfc2069?: boolean;
}

const PORTS: { readonly entropy: Entropy; readonly clock: Clock } = { entropy: randomBytes, clock: Date.now };

type Key = keyof Account;

interface Usable {
  /** What the account needs for it: one of each. */
  readonly needs: readonly (readonly Key[])[];
  /** The client half, as the secrets are now; `undefined` where the account lacks what it needs. */
  readonly client: (account: Account) => ClientScheme | undefined;
}

function ntlm(account: Account, name: 'ntlm' | 'negotiate'): ClientScheme | undefined {
  const { username, password, ntHash, domain, workstation } = account;
  const secret = ntHash === undefined ? password && { password: password.current } : { ntHash: ntHash.current };
  if (username === undefined || secret === undefined) return undefined;
  const names = { ...(domain === undefined ? {} : { domain }), ...(workstation === undefined ? {} : { workstation }) };
  return ntlmClient({ username, ...names, secret }, PORTS, name);
}

const USABLE: { readonly [S in SchemeChoice]: Usable } = {
  negotiate: {
    needs: [
      ['username', 'kerberos'],
      ['password', 'ntHash', 'kerberos'],
    ],
    // Without Kerberos, NTLM under the other name, as Windows proxies take it (MS-NTHT).
    client: (account) =>
      account.kerberos === undefined ? ntlm(account, 'negotiate') : negotiateClient(account.kerberos, account.kerberos),
  },
  ntlm: { needs: [['username'], ['password', 'ntHash']], client: (account) => ntlm(account, 'ntlm') },
  digest: {
    needs: [['username'], ['password']],
    client: ({ username, password, rfc2069 = false }) =>
      username === undefined || password === undefined
        ? undefined
        : digestClient({ username, password: password.current }, { rfc2069 }, PORTS),
  },
  bearer: {
    needs: [['token']],
    client: ({ token, lifetime }) =>
      token && bearerClient(token, { now: Date.now, ...(lifetime === undefined ? {} : { lifetime }) }),
  },
  basic: {
    needs: [['username'], ['password']],
    client: ({ username, password }) =>
      username === undefined || password === undefined ? undefined : basicClient(username, password.current),
  },
};

/** The client halves of these schemes, strongest first. Throws {@link AuthError} for an account that NTLM cannot use. */
export function clientsOf(account: Account, schemes: readonly SchemeChoice[]): ClientScheme[] {
  return SCHEME_CHOICES.filter((choice) => schemes.includes(choice)).flatMap(
    (choice) => USABLE[choice].client(account) ?? [],
  );
}

/** What an account needs for a scheme, in words, where something of it is not `present`. */
export function lackingFor(scheme: SchemeChoice, present: ReadonlySet<string>): string | undefined {
  const { needs } = USABLE[scheme];
  if (needs.every((keys) => keys.some((key) => present.has(key)))) return undefined;
  return needs.map((keys) => keys.join(' or ')).join(' and ');
}

/** Why what is in the secrets now cannot be sent, for the schemes that would send it. */
export function unfitFor(account: Account, schemes: readonly SchemeChoice[]): string | undefined {
  const { username = '', password, ntHash, token } = account;
  if (schemes.includes('basic') && password !== undefined) {
    const why = unusableUserId(username) ?? unusablePassword(password.current);
    if (why !== undefined) return `expected an account that Basic can send: ${why}`;
  }
  if (schemes.includes('digest') && password !== undefined) {
    const why = unusableUsername(username);
    if (why !== undefined) return `expected an account that Digest can send: ${why}`;
  }
  const unusable = ntHash && unusableNtHash(ntHash.current);
  if (unusable !== undefined) return `ntHash: ${unusable}`;
  return token === undefined ? undefined : unusableToken(token.current);
}
