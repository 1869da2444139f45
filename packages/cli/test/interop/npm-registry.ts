import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { printed } from './program.ts';

const NAME = 'served-by-the-test';
const VERSION = '1.2.3';
const TARBALL = `${NAME}-${VERSION}.tgz`;

/** Makes `FOLDER/served-by-the-test-1.2.3.tgz`, a package whose description is `text`. */
export async function makePackage(folder: string, text: string): Promise<void> {
  const source = join(folder, 'package');
  mkdirSync(source);
  writeFileSync(join(source, 'package.json'), JSON.stringify({ name: NAME, version: VERSION, description: text }));
  await printed('npm', ['pack', './package', '--offline'], { folder });
}

/** A registry of that one package, at `/registry/` of whatever the origin is called. */
export function servePackage(folder: string, req: IncomingMessage, res: ServerResponse, protocol: string): void {
  const tarball = readFileSync(join(folder, TARBALL));
  if (req.url === `/registry/${TARBALL}`) {
    res.setHeader('Content-Type', 'application/octet-stream');
    res.end(tarball);
    return;
  }
  if (req.url !== `/registry/${NAME}`) {
    res.writeHead(404).end('{}');
    return;
  }
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  const manifest = {
    ...(JSON.parse(readFileSync(join(folder, 'package', 'package.json'), 'utf8')) as object),
    dist: { tarball: `${protocol}://${req.headers.host}/registry/${TARBALL}`, integrity },
  };
  res.setHeader('Content-Type', 'application/json');
  res.end(JSON.stringify({ name: NAME, 'dist-tags': { latest: VERSION }, versions: { [VERSION]: manifest } }));
}
