import type { Described } from '@chain407/auth';
import { printable, Secret } from '@chain407/auth';
import type { Leg, RequestTarget } from '@chain407/core';
import { parseAuthority, parseForwardTarget, readTls, subscribeLegs } from '@chain407/core';
import type { Account, SchemeChoice, Tickets, Upstream } from '@chain407/downstream';
import { Credential, fixedSecret, HopTls, loadKerberos, oneShot, SCHEME_CHOICES } from '@chain407/downstream';
import { EXIT, Exit } from './exit.ts';
import { paint, print } from './output.ts';
import { readPassword } from './prompt.ts';
import { transcript } from './transcript.ts';
import type { Verdict } from './verdict.ts';
import { verdict } from './verdict.ts';

/** The options of `chain407 trace`, as commander gives them. */
export interface TraceOptions {
  readonly proxy?: string;
  readonly user?: string;
  readonly scheme?: string;
  readonly proxyCacert?: string;
  readonly request: string;
  readonly connect?: true;
  readonly json?: true;
}

/** Times in milliseconds: a person waits for this command. */
const LIMITS = { connectTimeout: 10_000, responseTimeout: 30_000, headerSize: 64 * 1024, headerCount: 1000 } as const;
const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** One request, every leg of it, and a verdict. 0: it got through; 1: it did not. */
export async function trace(url: string, options: TraceOptions): Promise<number> {
  const proxy = proxyOf(options.proxy ?? proxyFromEnvironment(url));
  const target = targetOf(url);
  if (!METHOD.test(options.request)) throw new Exit(EXIT.usage, `-X: expected a method, got "${options.request}"`);
  if (options.request === 'CONNECT')
    throw new Exit(EXIT.usage, '-X CONNECT: use --connect, which sends the request through the tunnel');
  const credential = await credentialOf(options, proxy.userinfo);
  const name = `${proxy.host}:${proxy.port}`;
  const upstream: Upstream = {
    name,
    connection: { ...LIMITS, host: proxy.host, port: proxy.port, tls: tlsOf(proxy, options) },
    idleTimeout: 0,
    spare: 0,
    credential,
  };
  const legs: Leg[] = [];
  const stop = subscribeLegs((leg) => legs.push(leg));
  const headers = ['User-Agent', 'chain407-trace', 'Accept', '*/*'];
  const outcome = await oneShot({
    upstream,
    method: options.request,
    target,
    connect: options.connect === true,
    headers,
  });
  stop();
  credential?.close();
  const found = verdict(outcome, name, credential?.name);
  if (options.json === true) print(JSON.stringify({ legs, verdict: found }, undefined, 2));
  else print(render(legs, found));
  return found.ok ? EXIT.good : EXIT.failed;
}

function render(legs: readonly Leg[], found: Verdict): string {
  const title = paint(found.ok ? 'green' : 'red', found.ok ? 'It works.' : 'It does not work.');
  return [
    ...(legs.length === 0 ? [] : [transcript(legs), '']),
    ...legs.flatMap(details),
    `${title} ${printable(found.symptom)}`,
    `  hop:     ${printable(found.hop)}`,
    `  cause:   ${printable(found.cause)}`,
    `  remedy:  ${printable(found.remedy)}`,
  ].join('\n');
}

/** Every leg with its headers. */
function details(leg: Leg, i: number): string[] {
  const lines = (mark: string, headers: readonly string[]): string[] =>
    headers.flatMap((text, at) => (at % 2 === 0 ? [`  ${mark} ${printable(`${text}: ${headers[at + 1]}`)}`] : []));
  return [
    paint('bold', `leg ${i + 1}, connection ${leg.connection}, ${leg.ms.toFixed(1)} ms`),
    ...[`  > ${printable(`${leg.method} ${leg.target}`)}`, ...lines('>', leg.requestHeaders)],
    ...(leg.credentials === undefined ? [] : decoded('>', leg.credentials)),
    ...[leg.status === undefined ? `  ! ${leg.error}` : `  < ${leg.status}`, ...lines('<', leg.responseHeaders)],
    ...(leg.challenges ?? []).flatMap((challenge) => decoded('<', challenge)),
    '',
  ];
}

/** What credentials or a challenge say, beneath the headers that carry them. */
function decoded(mark: string, { scheme, fields }: Described): string[] {
  const entries = Object.entries(fields);
  if (entries.length === 0) return [];
  return [
    `  ${mark}   ${printable(scheme)}:`,
    ...entries.map(([name, text]) => `  ${mark}     ${printable(`${name}: ${text}`)}`),
  ];
}

function targetOf(url: string): Extract<RequestTarget, { form: 'absolute' }> {
  const parsed = parseForwardTarget('GET', url.includes('://') ? url : `http://${url}`);
  if (!parsed.ok || parsed.target.form !== 'absolute') {
    throw new Exit(EXIT.usage, `URL: expected http://host/path or https://host/path, got "${url}"`);
  }
  return parsed.target;
}

/** Curl's variables, in curl's order (`http_proxy` in lower case only: CGI sets the other). */
function proxyFromEnvironment(url: string): string {
  const { env } = process;
  const named = url.startsWith('https:') ? (env.https_proxy ?? env.HTTPS_PROXY) : env.http_proxy;
  const found = named ?? env.all_proxy ?? env.ALL_PROXY;
  if (found === undefined || found === '') {
    throw new Exit(EXIT.usage, 'no proxy: name one with -x http://HOST:PORT, or set http_proxy / https_proxy');
  }
  return found;
}

interface ProxyAddress {
  readonly host: string;
  readonly port: number;
  readonly secured: boolean;
  readonly userinfo: string | undefined;
}

const DEFAULT_PORT: ReadonlyMap<string, number> = new Map([
  ['http', 80],
  ['https', 443],
]);

function proxyOf(text: string): ProxyAddress {
  const [, scheme = 'http', userinfo, authority = ''] =
    /^(?:([a-z0-9+.-]+):\/\/)?(?:(.*)@)?([^/]*)\/?$/i.exec(text) ?? [];
  const parsed = parseAuthority(authority);
  const defaultPort = DEFAULT_PORT.get(scheme.toLowerCase());
  // The text may hold a password: it is not repeated.
  if (defaultPort === undefined || parsed === undefined) {
    throw new Exit(EXIT.usage, '-x: expected http://HOST:PORT or https://HOST:PORT of a proxy');
  }
  const secured = scheme.toLowerCase() === 'https';
  return { host: parsed.host, port: parsed.port ?? defaultPort, secured, userinfo };
}

function tlsOf({ host, secured }: ProxyAddress, { proxyCacert: ca }: TraceOptions): HopTls | undefined {
  if (!secured) {
    if (ca === undefined) return undefined;
    throw new Exit(EXIT.usage, '--proxy-cacert: expected an https:// proxy beside it');
  }
  const read = readTls({ ca }, 'tls');
  if (!read.ok) throw new Exit(EXIT.usage, `--proxy-cacert: ${read.problems.map(({ message }) => message).join('; ')}`);
  return new HopTls(host, read.material);
}

async function credentialOf(
  { user, scheme }: TraceOptions,
  userinfo: string | undefined,
): Promise<Credential | undefined> {
  const schemes = schemesOf(scheme);
  const given = user === undefined ? fromUserinfo(userinfo) : await accountOf(user, scheme);
  if (given === undefined) return undefined;
  const lockout = { attempts: 1, cooldown: 0, now: Date.now, onChange: () => undefined };
  const { name, account } = given;
  return new Credential({ name, account, schemes, mayGoTo: () => true, lockout });
}

function schemesOf(scheme: string | undefined): readonly SchemeChoice[] {
  if (scheme === undefined) return SCHEME_CHOICES;
  const found = SCHEME_CHOICES.find((choice) => choice === scheme.toLowerCase());
  if (found === undefined)
    throw new Exit(EXIT.usage, `--scheme: expected one of ${SCHEME_CHOICES.join(', ')}, got "${scheme}"`);
  return [found];
}

interface Given {
  /** In the verdict. */
  readonly name: string;
  readonly account: Account;
}

/** As curl reads it: `:` for the tickets of the environment; a token for Bearer. */
async function accountOf(user: string, scheme: string | undefined): Promise<Given> {
  if (user === ':') return { name: 'the tickets of the environment', account: { kerberos: await tickets() } };
  if (scheme?.toLowerCase() === 'bearer' && user.includes(':'))
    throw new Exit(EXIT.usage, '--scheme bearer: -u takes the token itself, without a user name');
  if (scheme?.toLowerCase() === 'bearer')
    return { name: 'the token', account: { token: fixedSecret(new Secret(user)) } };
  const colon = user.indexOf(':');
  if (colon < 0) return withPassword(user, await readPassword(`password of ${user}: `));
  return withPassword(user.slice(0, colon), new Secret(user.slice(colon + 1)));
}

async function tickets(): Promise<Tickets> {
  const loaded = await loadKerberos({});
  if (!loaded.ok) throw new Exit(EXIT.failed, `-u : ${loaded.message}`);
  return loaded;
}

const withPassword = (username: string, password: Secret): Given => ({
  name: username,
  account: { username, password: fixedSecret(password) },
});

function fromUserinfo(userinfo: string | undefined): Given | undefined {
  if (userinfo === undefined || userinfo === '') return undefined;
  const [username = '', ...rest] = userinfo.split(':');
  try {
    return withPassword(decodeURIComponent(username), new Secret(decodeURIComponent(rest.join(':'))));
  } catch {
    throw new Exit(EXIT.usage, '-x: the user name or password is not percent-encoded as a URL needs it');
  }
}
