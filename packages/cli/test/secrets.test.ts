import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { ntHash, Secret } from '@chain407/auth';
import { startChain } from '@chain407/testkit';
import { describe, expect, test } from '@jest/globals';
import { CELLS } from '../../testkit/test/matrix/cells.ts';
import { CLIENT_PASSWORD, drive, OWN_PASSWORD } from '../../testkit/test/matrix/drive.ts';
import { SCHEME_CELLS } from '../../testkit/test/matrix/scheme-cells.ts';
import { configOf, SECRETS as SCHEME_SECRETS } from '../../testkit/test/matrix/scheme-chain.ts';
import { clientOf, converse } from '../../testkit/test/matrix/scheme-client.ts';
import { chain407, service, temporaryFolder } from './command.ts';

/**
 * The attack: somebody reads what the chain leaves behind (logs, error pages, traces, ready files, messages about a
 * broken configuration) and finds a password in it, or its base64, which Basic makes of it.
 */
const SECRETS = [
  OWN_PASSWORD,
  CLIENT_PASSWORD,
  'wrong-horse',
  'file-secret-horse',
  'env-secret-horse',
  'hash-secret-horse',
];
const USERS = ['own', 'client', 'alice'];

/** What Digest keeps in place of a password. */
const ha1sOf = (user: string, password: string): string[] =>
  ['md5', 'sha256', 'sha512-256'].map((hash) =>
    createHash(hash).update(`${user}:Chain407 upstream:${password}`).digest('hex'),
  );

/** A text, in base64 at each of the three alignments it can have inside a longer one, without the bytes that vary. */
function inBase64(text: string): string[] {
  return [0, 1, 2].map((shift) => {
    const encoded = Buffer.from(`${'\0'.repeat(shift)}${text}`)
      .toString('base64')
      .replace(/=+$/, '');
    return encoded.slice(shift === 0 ? 0 : 4, encoded.length - 2);
  });
}

const FORBIDDEN = [
  ...SECRETS,
  ...SECRETS.flatMap(inBase64),
  ...SECRETS.flatMap((secret) => USERS.map((user) => Buffer.from(`${user}:${secret}`).toString('base64'))),
];

function leaks(written: string): string[] {
  return FORBIDDEN.filter((text) => written.includes(text));
}

test('the search finds a secret in the clear, in base64 and inside a longer base64', () => {
  const hidden = Buffer.from(`somebody:${OWN_PASSWORD}`).toString('base64');
  expect(leaks(`x ${OWN_PASSWORD} y`)).not.toEqual([]);
  expect(leaks(`Proxy-Authorization: Basic ${hidden}`)).not.toEqual([]);
});

describe('nothing that the chain writes holds a secret', () => {
  test('logs at trace, pages, responses and legs, in every cell of the matrix', async () => {
    const written: string[] = [];
    for (const cell of CELLS) {
      const chain = await startChain(
        {
          log: { level: 'trace' },
          upstream: {
            auth: cell.upstream === 'anonymous' ? { anonymous: true } : { schemes: ['basic'] },
            users: [
              { name: 'client', password: { value: CLIENT_PASSWORD }, groups: ['staff'] },
              { name: 'own', password: { value: OWN_PASSWORD }, groups: ['staff'] },
            ],
            access: [cell.upstream === 'not permitted' ? { deny: { groups: ['staff'] }, status: 407 } : { allow: {} }],
            ports: { connect: [80] },
          },
          downstream: {
            identity: cell.identity,
            // Every other cell has the wrong password of its own.
            credentials: {
              own: {
                username: 'own',
                password: { value: cell.client === 'wrong' ? 'wrong-horse' : OWN_PASSWORD },
                schemes: ['basic'],
              },
            },
          },
        },
        { logDestination: { write: (line) => void written.push(line) } },
      );
      const { response } = await drive(chain, cell);
      written.push(
        response.headers.join('\n'),
        response.body.toString('latin1'),
        JSON.stringify(chain.legs()),
        inspect(chain, { depth: 12 }),
      );
      await chain.close();
    }
    expect(written.length).toBeGreaterThan(CELLS.length * 4);
    expect(leaks(written.join('\n'))).toEqual([]);
  });

  test('logs at trace, legs and answers, by every scheme', async () => {
    const written: string[] = [];
    for (const cell of SCHEME_CELLS.filter(({ request }) => request === 'GET')) {
      const chain = await startChain(
        { ...configOf(cell), log: { level: 'trace' } },
        { logDestination: { write: (line) => void written.push(line) } },
      );
      const secret = cell.account === 'wrong' ? SCHEME_SECRETS.wrong : SCHEME_SECRETS.client;
      const ended = await converse(chain.downstream.port, cell, clientOf(cell, 'client', secret));
      written.push(JSON.stringify(ended), JSON.stringify(chain.legs()), inspect(chain, { depth: 12 }));
      await chain.close();
    }
    const text = written.join('\n');
    expect(text).toContain('AUTHENTICATE (type 3)');
    const proofs = Object.values(SCHEME_SECRETS).flatMap((secret) => [
      secret,
      ...inBase64(secret),
      ntHash(new Secret(secret)).reveal(),
      ...['client', 'own'].flatMap((user) => ha1sOf(user, secret)),
    ]);
    expect(proofs.filter((proof) => text.includes(proof))).toEqual([]);
    // What a dictionary could be tried on: a response of Digest, the third message of NTLM.
    expect(text).not.toMatch(/(response|rspauth)=\\?"?[0-9a-f]{32}/);
    expect(text).not.toContain('TlRMTVNTUAADAAAA');
  });

  test('the command: log, ready file, demonstration, trace, check, hash', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'password'), 'file-secret-horse\n');
    const file = join(folder, 'chain.yaml');
    writeFileSync(
      file,
      `log: { level: trace }
downstream:
  listen: 127.0.0.1:0
  credentials:
    alice: { username: alice, password: { env: CHAIN407_TEST_SECRET }, schemes: [basic] }
  upstreams: { upstream: { url: 'http://127.0.0.1:1', credentials: alice } }
upstream:
  listen: 127.0.0.1:0
  users: [{ name: alice, password: { file: ./password } }]
`,
    );
    const env = { CHAIN407_TEST_SECRET: 'env-secret-horse' };
    const chain = await service(['up', '-c', file], { env });
    const written = [readFileSync(chain.readyFile, 'utf8')];
    const proxies = [chain.ready.upstream?.url ?? '', chain.ready.downstream?.url ?? ''];
    for (const proxy of proxies) {
      for (const password of ['file-secret-horse', 'wrong-horse']) {
        for (const flags of [[], ['--json'], ['--connect']]) {
          const { stdout, stderr } = await chain407([
            'trace',
            '-x',
            proxy,
            '-u',
            `alice:${password}`,
            ...flags,
            'http://origin.test/',
          ]);
          written.push(stdout, stderr);
        }
      }
    }
    const { stdout, stderr } = await chain.stop();
    expect(stderr).toContain('"level"');
    written.push(stdout, stderr);
    const broken = join(folder, 'broken.yaml');
    writeFileSync(
      broken,
      `downstream:
  credentials: { a: { username: x, password: wrong-horse, token: wrong-horse }, b: { username: x, password: { value: [wrong-horse] } } }
  upstreams: { u: { url: 'http://x:wrong-horse@proxy' } }
upstream: { users: [{ name: a, hash: wrong-horse }, { name: b, password: wrong-horse }] }
`,
    );
    for (const args of [
      ['-c', broken],
      ['-c', broken, '--json'],
      ['-c', file],
    ]) {
      const checked = await chain407(['check', ...args], { env });
      written.push(checked.stdout, checked.stderr);
    }
    const hashed = await chain407(['hash', 'alice'], { input: 'hash-secret-horse\n' });
    written.push(hashed.stdout, hashed.stderr);
    expect(leaks(written.join('\n'))).toEqual([]);
  });
});
