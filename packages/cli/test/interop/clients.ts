import { readFileSync } from 'node:fs';
import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ProxyAgent } from 'proxy-agent';
import { accountOf } from './accounts.ts';
import { makeFolder, remove } from './folder.ts';
import { printed } from './program.ts';

const urllib = fileURLToPath(new URL('fetch-by-urllib.py', import.meta.url));

/** What a client is to do. */
export interface Errand {
  /** Of the site, without a path: `http://origin.test`. */
  readonly site: string;
  readonly proxyPort: number;
  /** `name:password` for the proxy, if the client has an account of its own. */
  readonly user: string | undefined;
  /** The authority that the client is to trust. */
  readonly authorityFile: string;
}

/** A real program. `run` returns something that holds the site's mark, and throws with what the program said. */
export interface Client {
  readonly name: string;
  /** Debian packages that it is in; none: it comes with Node. */
  readonly packages: readonly string[];
  run(errand: Errand, folder: string): Promise<string>;
}

function proxyUrl({ proxyPort, user }: Errand): string {
  const url = new URL(`http://127.0.0.1:${proxyPort}/`);
  if (user === undefined) return url.href;
  const { name, password } = accountOf(user);
  url.username = encodeURIComponent(name);
  url.password = encodeURIComponent(password);
  return url.href;
}

const curl =
  (...options: string[]): Client['run'] =>
  (errand, folder) => {
    const user = errand.user === undefined ? [] : ['--proxy-user', errand.user];
    const proxy = ['--proxy', `http://127.0.0.1:${errand.proxyPort}`, '--noproxy', '', ...user];
    const args = ['--fail', '--silent', '--show-error', '--cacert', errand.authorityFile, ...proxy, ...options];
    return printed('curl', [...args, `${errand.site}/page`], { folder });
  };

const wget: Client['run'] = (errand, folder) => {
  const { name, password } = errand.user === undefined ? { name: '', password: '' } : accountOf(errand.user);
  const user = errand.user === undefined ? [] : [`--proxy-user=${name}`, `--proxy-password=${password}`];
  const proxy = `http://127.0.0.1:${errand.proxyPort}/`;
  const args = ['--no-config', '--no-hsts', '--no-verbose', '--tries=1', '--output-document=-', ...user];
  const env = { http_proxy: proxy, https_proxy: proxy };
  return printed('wget', [...args, `--ca-certificate=${errand.authorityFile}`, `${errand.site}/page`], { folder, env });
};

const gitClone =
  (env: Readonly<Record<string, string>>): Client['run'] =>
  async (errand, folder) => {
    const settings = ['-c', `http.proxy=${proxyUrl(errand)}`, '-c', `http.sslCAInfo=${errand.authorityFile}`];
    await printed('git', [...settings, 'clone', '-q', `${errand.site}/repository.git`, 'clone'], {
      folder,
      env: { GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1', ...env },
    });
    return readFileSync(join(folder, 'clone', 'README'), 'utf8');
  };

const npm: Client['run'] = async (errand, folder) => {
  const proxy = proxyUrl(errand);
  const settings = [
    ...['--registry', `${errand.site}/registry/`, '--proxy', proxy, '--https-proxy', proxy, '--noproxy', ''],
    ...['--cafile', errand.authorityFile, '--cache', join(folder, 'cache'), '--fetch-retries', '0'],
    ...['--update-notifier', 'false', '--audit', 'false', '--fund', 'false'],
  ];
  await printed('npm', ['pack', 'served-by-the-test', ...settings], { folder });
  return printed('npm', ['view', 'served-by-the-test', 'description', ...settings], { folder });
};

const python: Client['run'] = (errand, folder) =>
  printed('python3', [urllib, `${errand.site}/page`, proxyUrl(errand)], {
    folder,
    env: { SSL_CERT_FILE: errand.authorityFile },
  });

const nodeAgent: Client['run'] = (errand) =>
  new Promise((resolve, reject) => {
    const agent = new ProxyAgent({ getProxyForUrl: () => proxyUrl(errand), keepAlive: false });
    const get = errand.site.startsWith('https:') ? httpsGet : httpGet;
    const req = get(`${errand.site}/page`, { agent, ca: readFileSync(errand.authorityFile) }, (res) => {
      let body = '';
      res.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      res.once('end', () => {
        agent.destroy();
        if (res.statusCode === 200) resolve(body);
        else reject(new Error(`${res.statusCode}: ${body}`));
      });
    });
    req.once('error', reject);
  });

const nodeFetch: Client['run'] = (errand, folder) => {
  const proxy = proxyUrl(errand);
  const program = 'process.stdout.write(await (await fetch(process.argv[1])).text())';
  return printed(process.execPath, ['--input-type=module', '--eval', program, `${errand.site}/page`], {
    folder,
    env: {
      ...{ NODE_USE_ENV_PROXY: '1', http_proxy: proxy, https_proxy: proxy },
      NODE_EXTRA_CA_CERTS: errand.authorityFile,
    },
  });
};

export const CLIENTS: readonly Client[] = [
  { name: 'curl', packages: ['curl'], run: curl() },
  { name: 'curl --proxytunnel', packages: ['curl'], run: curl('--proxytunnel') },
  { name: 'curl --proxy-anyauth', packages: ['curl'], run: curl('--proxy-anyauth') },
  { name: 'wget', packages: ['wget'], run: wget },
  { name: 'git', packages: ['git'], run: gitClone({}) },
  { name: 'git, dumb protocol', packages: ['git'], run: gitClone({ GIT_SMART_HTTP: '0' }) },
  { name: 'npm', packages: [], run: npm },
  { name: "Python's urllib", packages: ['python3'], run: python },
  { name: "Node's http with proxy-agent", packages: [], run: nodeAgent },
  // Before Node 22.21 and 24 fetch knows no proxy: there is no such client then.
  ...(process.allowedNodeEnvironmentFlags.has('--use-env-proxy')
    ? [{ name: "Node's fetch with NODE_USE_ENV_PROXY", packages: [], run: nodeFetch }]
    : []),
];

/** Runs a client in a folder of its own. */
export async function runClient(client: Client, errand: Errand): Promise<string> {
  const folder = makeFolder('client');
  try {
    return await client.run(errand, folder);
  } finally {
    remove(folder);
  }
}
