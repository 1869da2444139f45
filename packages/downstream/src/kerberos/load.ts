import type { SecurityContext } from '@chain407/auth';
import { GssProcess } from './gss-process.ts';
import { KEYTAB_CCACHE, whyNotLoaded, withRemedy } from './remedy.ts';

/** Whose tickets are used. Nothing named: those that the environment of this process leads to. */
export interface KerberosAccount {
  /** `alice@CORP.EXAMPLE`; without a realm: the default one. Default: the first one that is found. */
  readonly principal?: string | undefined;
  /** A file with its key: tickets are fetched by it, renewed in time, and kept in memory. */
  readonly keytab?: string | undefined;
  /** Where its tickets are: a file, or another kind as `DIR:/path` or `KCM:`. */
  readonly ccache?: string | undefined;
}

export interface KerberosOptions {
  /** In place of the package `kerberos`. */
  readonly module?: string;
  /** Milliseconds for a step. Default 30,000: what MIT Kerberos takes to go through several KDCs that are silent. */
  readonly timeout?: number;
}

export type LoadedKerberos =
  | {
      readonly ok: true;
      /** A new context with a service, named `service/host`. What is wrong, its first step says. */
      initiate(spn: string): SecurityContext;
      /** Ends what was started; contexts end with it. */
      close(): void;
    }
  | { readonly ok: false; readonly message: string };

const TIMEOUT = 30_000;

/**
 * GSS-API for one account, by the optional package `kerberos`. Each account has a process of its own, as MIT Kerberos
 * reads `KRB5CCNAME` and `KRB5_CLIENT_KTNAME` from the environment of the process, and nowhere else: accounts of different
 * tickets never meet, and a KDC that is silent stops nothing but its own account. A process that ends is started again.
 */
export async function loadKerberos(
  account: KerberosAccount,
  { module = 'kerberos', timeout = TIMEOUT }: KerberosOptions = {},
): Promise<LoadedKerberos> {
  const start = (): GssProcess =>
    new GssProcess({ module, env: { ...process.env, ...environmentOf(account) }, timeout });
  let gss = start();
  const loaded = await gss.ask({});
  if (!loaded.ok) {
    gss.close();
    return { ok: false, message: whyNotLoaded(loaded.code, loaded.why) };
  }
  let closed = false;
  let contexts = 0;
  return {
    ok: true,
    initiate: (spn) => {
      if (!closed && !gss.lives) gss = start();
      contexts += 1;
      return contextOf(gss, contexts, { service: serviceName(spn, process.platform), ...principalOf(account) });
    },
    close: () => {
      closed = true;
      gss.close();
    },
  };
}

/** A context lives in the process that it began in. */
function contextOf(
  gss: GssProcess,
  context: number,
  peer: { readonly service: string; readonly principal?: string },
): SecurityContext {
  return {
    step: async (token) => {
      const answer = await gss.ask(token === '' ? { context, ...peer } : { context, token });
      return answer.ok ? answer : { ok: false, why: withRemedy(answer.why) };
    },
  };
}

const principalOf = ({ principal }: KerberosAccount): { readonly principal?: string } =>
  principal === undefined ? {} : { principal };

/** What MIT Kerberos reads; of the environment that is there, the rest is kept (`KRB5_CONFIG`, `KRB5_TRACE`). */
export function environmentOf({ keytab, ccache }: KerberosAccount): Readonly<Record<string, string>> {
  return {
    ...(keytab === undefined ? {} : { KRB5_CLIENT_KTNAME: keytab, KRB5CCNAME: KEYTAB_CCACHE }),
    ...(ccache === undefined ? {} : { KRB5CCNAME: ccache }),
  };
}

/** GSS-API wants the name of a service as `service@host` (RFC 2743 §4.1), SSPI as it is. */
export function serviceName(spn: string, platform: NodeJS.Platform): string {
  return platform === 'win32' ? spn : spn.replace('/', '@');
}
