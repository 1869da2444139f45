import { accessSync, constants } from 'node:fs';
import type { LiveSecret, Logger, Problem, StateStore } from '@chain407/core';
import { fileProblem, openSecret } from '@chain407/core';
import type { DownstreamConfig } from '../config.ts';
import { loadKerberos } from '../kerberos/load.ts';
import type { Account, Tickets } from './account.ts';
import { unfitFor } from './account.ts';
import type { CredentialConfig } from './credential-config.ts';
import { schemesFor } from './credential-config.ts';
import { Credential } from './credentials.ts';
import type { LockoutOptions } from './lockout.ts';
import { storeLedger } from './lockout-ledger.ts';

export type OpenedCredential =
  | { readonly ok: true; readonly credential: Credential }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** One entry of `credentials`: its secrets read, its tickets found, and followed from now on until it is closed. */
export async function openCredential(
  name: string,
  config: DownstreamConfig,
  logger: Logger,
  shared: StateStore | undefined,
): Promise<OpenedCredential> {
  const given = config.credentials[name] as DownstreamConfig['credentials'][string];
  const problems: Problem[] = [];
  const secrets: { password?: LiveSecret; ntHash?: LiveSecret; token?: LiveSecret } = {};
  for (const key of ['password', 'ntHash', 'token'] as const) {
    const source = given[key];
    if (source === undefined) continue;
    const onProblem = (message: string): void =>
      logger.warn({ credential: name }, `the ${key} of the credentials "${name}" stays as it was: ${message}`);
    const { lifetime } = given;
    const opened = await openSecret(source, { onProblem, ...(lifetime === undefined ? {} : { lifetime }) });
    if (opened.ok) secrets[key] = opened.secret;
    else problems.push({ severity: 'error', path: `credentials.${name}.${key}`, message: opened.message });
  }
  const { username, domain, workstation, lifetime, rfc2069 } = given;
  const schemes = schemesFor(given);
  const tickets = schemes.includes('negotiate') ? await ticketsOf(given.kerberos) : undefined;
  if (tickets?.ok === false)
    problems.push({ severity: 'error', path: `credentials.${name}.kerberos`, message: tickets.message });
  const kerberos = tickets?.ok === true ? { kerberos: tickets.tickets } : {};
  const account: Account = { username, domain, workstation, lifetime, rfc2069, ...secrets, ...kerberos };
  const unfit = problems.length === 0 ? unfitFor(account, schemes) : undefined;
  if (unfit !== undefined) problems.push({ severity: 'error', path: `credentials.${name}`, message: unfit });
  if (problems.length > 0) {
    for (const secret of Object.values(secrets)) secret.close();
    account.kerberos?.close();
    return { ok: false, problems };
  }
  const onProblem = (message: string): void => logger.warn({ credential: name }, message);
  const mayGoTo = destinations(name, config);
  const lockout = { ...config.lockout, now: Date.now, onChange: announce(name, logger) };
  const { attempts } = config.lockout;
  const ledger = shared && { ledger: (key: string) => storeLedger(shared, key, attempts, Date.now) };
  return { ok: true, credential: new Credential({ name, account, schemes, mayGoTo, lockout, onProblem, ...ledger }) };
}

type LoadedTickets =
  | { readonly ok: true; readonly tickets: Tickets }
  | { readonly ok: false; readonly message: string };

async function ticketsOf(config: CredentialConfig['kerberos']): Promise<LoadedTickets | undefined> {
  if (config === undefined) return undefined;
  const { spn, mutual, keytab } = config;
  const unreadable = keytab === undefined ? undefined : whyUnreadable(keytab);
  if (unreadable !== undefined) return { ok: false, message: unreadable };
  const loaded = await loadKerberos(config);
  if (!loaded.ok) return loaded;
  const { initiate, close } = loaded;
  return { ok: true, tickets: { initiate, close, mutual, ...(spn === undefined ? {} : { spn }) } };
}

/** GSS would say so at the first request only, and not which file. */
function whyUnreadable(keytab: string): string | undefined {
  try {
    accessSync(keytab, constants.R_OK);
    return undefined;
  } catch (error) {
    return fileProblem(keytab, error);
  }
}

/** Where the credentials may be sent: what they name, else the upstreams that name them. */
function destinations(name: string, { credentials, upstreams }: DownstreamConfig): Credential['mayGoTo'] {
  const hosts = credentials[name]?.hosts;
  const namedBy = Object.values(upstreams).filter((upstream) => upstream.credentials === name);
  return (host, port) =>
    hosts?.some((pattern) => pattern.matches(host, port)) ??
    namedBy.some(({ url }) => url.host === host && url.port === port);
}

/** Once per change, not per request. */
function announce(name: string, logger: Logger): LockoutOptions['onChange'] {
  return (state) => {
    if (state.phase === 'closed') {
      const again = new Date(state.until).toISOString();
      logger.warn(
        { credential: name, again },
        `the credentials "${name}" are held back until ${again}: ${state.reason}`,
      );
    } else {
      logger.info({ credential: name }, `the credentials "${name}" are accepted again`);
    }
  };
}
