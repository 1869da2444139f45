import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { printed } from './program.ts';

export interface Certificates {
  /** Of the authority, for clients to trust. */
  readonly authorityFile: string;
  readonly key: Buffer;
  readonly cert: Buffer;
}

/** An authority made for this run, and a certificate of it for `name`, both into `folder`. */
export async function makeCertificates(folder: string, name: string): Promise<Certificates> {
  const openssl = (...args: string[]) => printed('openssl', args, { folder });
  const newKey = ['-newkey', 'rsa:2048', '-nodes'];
  writeFileSync(join(folder, 'names'), `subjectAltName=DNS:${name}\nextendedKeyUsage=serverAuth\n`);
  await openssl(
    ...['req', '-x509', ...newKey, '-subj', '/CN=Chain407 test authority', '-keyout', 'ca.key', '-out', 'ca.pem'],
    ...['-addext', 'keyUsage=critical,keyCertSign', '-days', '2'],
  );
  await openssl('req', ...newKey, '-subj', `/CN=${name}`, '-keyout', 'key.pem', '-out', 'request.pem');
  await openssl(
    ...['x509', '-req', '-in', 'request.pem', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'],
    ...['-out', 'cert.pem', '-extfile', 'names', '-days', '2'],
  );
  return {
    authorityFile: join(folder, 'ca.pem'),
    key: readFileSync(join(folder, 'key.pem')),
    cert: readFileSync(join(folder, 'cert.pem')),
  };
}
