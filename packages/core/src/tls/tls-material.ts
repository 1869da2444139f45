import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ListenAddress } from '../config/address-fields.ts';
import type { Problem } from '../config/problem.ts';
import { fileProblem } from '../config/unreadable.ts';

/** Paths of files in PEM form. A certificate may have its chain behind it; a key has no passphrase. */
export interface TlsFiles {
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly ca?: string | undefined;
}

/** What such files hold, in Node's words: options of a TLS server, or of a connection. */
export interface TlsMaterial {
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly ca?: Buffer;
}

/** Where a listener is, and who it is. */
export interface SecuredAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsMaterial | undefined;
}

export type ReadListener =
  | { readonly ok: true; readonly listen: SecuredAddress }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** What the key `listen` of a tier refers to. */
export function readListenerTls({ host, port, tls }: ListenAddress): ReadListener {
  if (tls === undefined) return { ok: true, listen: { host, port, tls } };
  const read = readTls(tls, 'listen.tls');
  return read.ok ? { ok: true, listen: { host, port, tls: read.material } } : read;
}

export type ReadTls =
  | { readonly ok: true; readonly material: TlsMaterial }
  | { readonly ok: false; readonly problems: readonly Problem[] };

type Kind = keyof TlsFiles;

/** Throws where the bytes are not what they should be. */
const PARSERS: { readonly [K in Kind]: { readonly parse: (pem: Buffer) => unknown; readonly expected: string } } = {
  cert: { parse: (pem) => new X509Certificate(pem), expected: 'a certificate in PEM form' },
  key: { parse: (pem) => createPrivateKey(pem), expected: 'a private key in PEM form, without a passphrase' },
  ca: { parse: (pem) => new X509Certificate(pem), expected: 'certificates in PEM form' },
};

/** Reads and checks; `path` is where the files stand in the configuration. OpenSSL would say what is wrong at the first connection only. */
export function readTls(files: TlsFiles, path: string): ReadTls {
  const material: { [K in Kind]?: Buffer } = {};
  const problems: Problem[] = [];
  for (const kind of ['cert', 'key', 'ca'] as const) {
    const file = files[kind];
    if (file === undefined) continue;
    const read = readPem(file, kind);
    if (typeof read === 'string') problems.push({ severity: 'error', path: `${path}.${kind}`, message: read });
    else material[kind] = read;
  }
  const { cert, key } = material;
  if (cert !== undefined && key !== undefined && !new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
    const message = `expected the key of the certificate ${files.cert}; ${files.key} is the key of another one`;
    problems.push({ severity: 'error', path: `${path}.key`, message });
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, material };
}

/** The bytes, or why they cannot be used. */
function readPem(file: string, kind: Kind): Buffer | string {
  let pem: Buffer;
  try {
    pem = readFileSync(file);
  } catch (error) {
    return fileProblem(file, error);
  }
  try {
    PARSERS[kind].parse(pem);
    return pem;
  } catch {
    return `expected ${PARSERS[kind].expected} in ${file}`;
  }
}
