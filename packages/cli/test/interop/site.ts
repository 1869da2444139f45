import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { makeCertificates } from './certificates.ts';
import { makeFolder, remove } from './folder.ts';
import { makeRepository, serveGit } from './git-repository.ts';
import { makePackage, servePackage } from './npm-registry.ts';

/** Stands in all that the site serves: who has it, has reached it. */
export const MARK = 'This came from the origin behind both proxies.';

/** A request as it reached the site. */
export interface Arrival {
  readonly secure: boolean;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly bodyLength: number;
}

/** An origin for real clients: pages at `/`, a Git repository, an npm registry; over HTTP, and over TLS with its own authority. */
export interface Site {
  readonly plainPort: number;
  readonly securePort: number;
  /** Of the authority that signed the certificate of `secure.test`. */
  readonly authorityFile: string;
  /** Since the last call. */
  arrivals(): readonly Arrival[];
  close(): Promise<void>;
}

export const SECURE_NAME = 'secure.test';

export async function startSite(): Promise<Site> {
  const folder = makeFolder('site');
  const certificates = await makeCertificates(folder, SECURE_NAME);
  await makeRepository(folder, MARK);
  await makePackage(folder, MARK);
  let arrivals: Arrival[] = [];
  const listener =
    (secure: boolean): RequestListener =>
    (req, res) => {
      const { method = '', url: path = '', headers } = req;
      const arrived = (bodyLength: number): number => arrivals.push({ secure, method, path, headers, bodyLength });
      if (!path.startsWith('/repository.git')) req.resume();
      let bodyLength = 0;
      req.on('data', (bytes: Buffer) => {
        bodyLength += bytes.length;
      });
      req.once('end', () => arrived(bodyLength));
      serve(folder, secure, req, res);
    };
  const plain = await listening(createServer(listener(false)));
  const secure = await listening(createTlsServer(certificates, listener(true)));
  return {
    plainPort: portOf(plain),
    securePort: portOf(secure),
    authorityFile: certificates.authorityFile,
    arrivals: () => {
      const since = arrivals;
      arrivals = [];
      return since;
    },
    close: async () => {
      await Promise.all([closed(plain), closed(secure)]);
      remove(folder);
    },
  };
}

function serve(folder: string, secure: boolean, req: IncomingMessage, res: ServerResponse): void {
  const { url = '' } = req;
  if (url.startsWith('/repository.git/')) serveGit(folder, req, res);
  else if (url.startsWith('/registry/')) servePackage(folder, req, res, secure ? 'https' : 'http');
  else req.once('end', () => res.end(`${MARK}\n`));
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

function listening<S extends Server>(server: S): Promise<S> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
