import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeBasic, Secret, withToken } from '@chain407/auth';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { helperBasicVerifier } from '../../../upstream/src/helper/basic-verifier.ts';
import { helperDigestAccounts } from '../../../upstream/src/helper/digest-accounts.ts';
import { helperHandshake } from '../../../upstream/src/helper/handshake.ts';
import { HelperPool } from '../../../upstream/src/helper/helper-pool.ts';
import { makeFolder, remove } from './folder.ts';
import { describeWith } from './peers.ts';
import { printed } from './program.ts';

/** Where Debian has Squid's helper programs. */
const program = (name: string): string => join('/usr/lib/squid', name);
const request = { method: 'GET', target: 'http://origin.test/', peerHost: '127.0.0.1' };
const folder = makeFolder('programs');
afterAll(() => remove(folder));

/** The accounts of these tests: all that a line or an escape could break. */
const ACCOUNTS: readonly (readonly [name: string, password: string])[] = [
  ['alice', 'open sésame'],
  ['John Smith', '100%+"\'\\'],
  ['CORP\\jörg', 'a:b %41'],
];

/** A pool of this program that is closed where the test ends. */
function poolOf(name: string, ...args: string[]): { pool: HelperPool } & AsyncDisposable {
  const pool = new HelperPool({ argv: [program(name), ...args], children: 2 });
  return { pool, [Symbol.asyncDispose]: () => pool.close() };
}

describeWith(['squid', 'apache2-utils'], "Squid's basic_ncsa_auth", () => {
  const passwd = join(folder, 'passwd');

  beforeAll(async () => {
    writeFileSync(passwd, '');
    for (const [name, password] of ACCOUNTS) {
      await printed('htpasswd', ['-b', '-m', passwd, name, password], { folder });
    }
  });

  test('knows the users of an htpasswd file, and nobody else', async () => {
    await using running = poolOf('basic_ncsa_auth', passwd);
    expect(await running.pool.start()).toEqual({ ok: true });
    const verifier = helperBasicVerifier('r', running.pool);
    const judge = async (name: string, password: string) =>
      verifier.judge(encodeBasic(name, new Secret(password)), request, undefined);
    for (const [name, password] of ACCOUNTS) {
      const principal = { name, groups: [] };
      expect(await judge(name, password)).toEqual({ kind: 'accept', principal });
      expect(await judge(name, `${password}x`)).toEqual({
        kind: 'reject',
        user: name,
        log: 'the helper for basic says no: Wrong password',
      });
    }
    expect(await judge('eve', 'x')).toMatchObject({
      kind: 'reject',
      log: 'the helper for basic says no: No such user',
    });
  });

  test('serves many at once', async () => {
    await using running = poolOf('basic_ncsa_auth', passwd);
    const verifier = helperBasicVerifier('r', running.pool);
    const turns = await Promise.all(
      Array.from({ length: 60 }, (_, i) => {
        const [name = '', password = ''] = ACCOUNTS[i % 3] ?? [];
        return verifier.judge(encodeBasic(name, new Secret(i < 30 ? password : `${password}${i}`)), request, undefined);
      }),
    );
    expect(turns.map(({ kind }) => kind)).toEqual([...Array(30).fill('accept'), ...Array(30).fill('reject')]);
  });

  test('without its file is told by name', async () => {
    await using running = poolOf('basic_ncsa_auth', join(folder, 'none'));
    const message = `${program('basic_ncsa_auth')}: it exited with status 1; its last words: FATAL: cannot stat ${folder}/none`;
    expect(await running.pool.start()).toEqual({ ok: false, message });
  });
});

describeWith(['squid'], "Squid's digest_file_auth", () => {
  const realm = 'Größe 1';
  const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

  test('gives the hashes of its file, and of nobody else', async () => {
    const file = join(folder, 'digest');
    const ha1 = (name: string, password: string): string => md5(`${name}:${realm}:${password}`);
    writeFileSync(file, ACCOUNTS.map(([name, password]) => `${name}:${realm}:${ha1(name, password)}\n`).join(''));
    await using running = poolOf('digest_file_auth', '-c', file);
    expect(await running.pool.start()).toEqual({ ok: true });
    const find = helperDigestAccounts({ pool: running.pool, realm });
    for (const [name, password] of ACCOUNTS) {
      const found = await find(name);
      if (found === undefined || 'unavailable' in found) throw new Error(`expected the account of ${name}`);
      expect([found.principal.name, found.ha1.reveal()]).toEqual([name, ha1(name, password)]);
    }
    expect(await find('eve')).toBeUndefined();
    expect(await helperDigestAccounts({ pool: running.pool, realm: 'another' })('alice')).toBeUndefined();
  });
});

/** MS-NLMP §2.2.1.1, as little of it. */
const NTLM_TYPE_1 = Buffer.from('NTLMSSP\0\x01\0\0\0\x02\x02\0\0').toString('base64');

/** MS-NLMP §2.2.1.3, as little of it as a program reads that checks no proof: names without responses. */
function type3(domain: string, user: string): string {
  const head = Buffer.alloc(64);
  head.write('NTLMSSP\0', 'latin1');
  head.writeUInt32LE(3, 8);
  // Lengths and offsets of both responses, domain, user name, workstation and session key.
  const fields = ['', '', domain, user, '', ''].map((text) => Buffer.from(text, 'utf16le'));
  let at = head.length;
  for (const [i, field] of fields.entries()) {
    head.writeUInt16LE(field.length, 12 + 8 * i);
    head.writeUInt16LE(field.length, 14 + 8 * i);
    head.writeUInt32LE(at, 16 + 8 * i);
    at += field.length;
  }
  // NTLMSSP_NEGOTIATE_NTLM and _UNICODE (§2.2.2.5).
  head.writeUInt32LE(0x0201, 60);
  return Buffer.concat([head, ...fields]).toString('base64');
}

describeWith(['squid'], "Squid's ntlm_fake_auth, which believes everybody", () => {
  test('takes twenty handshakes at a time, each to its end in one process', async () => {
    await using running = poolOf('ntlm_fake_auth');
    const verifier = helperHandshake('ntlm', running.pool);
    const names = Array.from({ length: 20 }, (_, i) => `user${i}`);
    const turns = await Promise.all(
      names.map(async (name) => {
        const opening = await verifier.judge(withToken('ntlm', NTLM_TYPE_1), request, undefined);
        if (opening.kind !== 'continue') return opening;
        expect(opening.challenge.token68).toMatch(/^TlRMTVNTUAACAAAA/);
        return verifier.judge(withToken('ntlm', type3('CORP', name)), request, opening.state);
      }),
    );
    expect(turns).toEqual(names.map((name) => ({ kind: 'accept', principal: { name: `CORP\\${name}`, groups: [] } })));
    expect(running.pool.pids).toHaveLength(2);
  });
});

describeWith(['squid'], "Squid's negotiate_kerberos_auth", () => {
  test('without the keytab that it is given is told by name', async () => {
    const keytab = join(folder, 'none');
    await using running = poolOf('negotiate_kerberos_auth', '-k', keytab);
    const message = `${program('negotiate_kerberos_auth')}: it exited with status 1; its last words: ERROR: keytab file ${keytab} does not exist`;
    expect(await running.pool.start()).toEqual({ ok: false, message });
  });

  test('with an empty one lives, refuses NTLM, and cannot tell who anybody else is', async () => {
    const keytab = join(folder, 'keytab');
    writeFileSync(keytab, Buffer.of(5, 2));
    await using running = poolOf('negotiate_kerberos_auth', '-k', keytab, '-s', 'GSS_C_NO_NAME');
    expect(await running.pool.start()).toEqual({ ok: true });
    const verifier = helperHandshake('negotiate', running.pool);
    const judge = (token: string) => verifier.judge(withToken('negotiate', token), request, undefined);
    expect(await judge(NTLM_TYPE_1)).toMatchObject({ kind: 'reject', log: expect.stringContaining('type 1 NTLM') });
    const why = expect.stringContaining('gss_acquire_cred() failed');
    expect(await judge('AAAA')).toMatchObject({ kind: 'unavailable', log: why });
  });
});
