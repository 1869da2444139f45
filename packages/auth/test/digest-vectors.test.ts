import { describe, expect, test } from '@jest/globals';
import { formatMessage, parseChallenges, parseCredentials } from '../src/grammar.ts';
import type { Credentials } from '../src/message.ts';
import type { ClientTurn } from '../src/scheme.ts';
import type { DigestAlgorithm } from '../src/schemes/digest/algorithm.ts';
import { findAlgorithm, wireText } from '../src/schemes/digest/algorithm.ts';
import { findQop } from '../src/schemes/digest/challenge.ts';
import type { DigestState } from '../src/schemes/digest/client.ts';
import { digestClient } from '../src/schemes/digest/client.ts';
import { readCredentials } from '../src/schemes/digest/credentials.ts';
import type { Protection } from '../src/schemes/digest/response.ts';
import { ha1, keyOf, responseOf, userhash } from '../src/schemes/digest/response.ts';
import { Secret } from '../src/secret.ts';
import { describePublished } from './published.ts';

/** A cnonce that was published; where it is base64, our client can be made to choose it. */
const entropyOf = (cnonce: string) => () => Buffer.from(cnonce, 'base64');

interface Exchange {
  readonly challenges: readonly string[];
  readonly username: string;
  readonly password: string;
  readonly method: string;
  readonly target: string;
  readonly cnonce: string;
}

/** What our client says to such challenges. */
async function answerTo({ challenges, username, password, method, target, cnonce }: Exchange): Promise<Credentials> {
  const account = { username, password: new Secret(password) };
  const client = digestClient(account, { rfc2069: true }, { entropy: entropyOf(cnonce) });
  const parsed = parseChallenges(challenges);
  expect(parsed.faults).toEqual([]);
  const turn: ClientTurn<DigestState> = await client.answer(
    parsed.challenges,
    { method, target, peerHost: 'proxy.test' },
    undefined,
  );
  if (turn.kind !== 'send') throw new Error(turn.detail);
  return turn.credentials;
}

const RFC7616 = {
  username: 'Mufasa',
  password: 'Circle of Life',
  method: 'GET',
  target: '/dir/index.html',
  cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
};
const challenge391 = (algorithm: string) =>
  'Digest realm="http-auth@example.org", qop="auth, auth-int", ' +
  `algorithm=${algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", ` +
  'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';

describe('the examples of the RFCs', () => {
  test.each<[string, Exchange, string]>([
    [
      'RFC 7616 §3.9.1, MD5',
      { ...RFC7616, challenges: [challenge391('MD5')] },
      'Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=MD5, ' +
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, ' +
        'cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, ' +
        'response="8ca523f5e9506fed4657c9700eebdbec", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
    ],
    [
      'RFC 7616 §3.9.1, SHA-256, chosen over MD5',
      { ...RFC7616, challenges: [challenge391('MD5'), challenge391('SHA-256')] },
      'Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=SHA-256, ' +
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, ' +
        'cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, ' +
        'response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", ' +
        'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
    ],
    [
      // Printed are the first 256 bits of SHA-512; erratum 4897 has these, which are SHA-512/256 (FIPS 180-4 §5.3.6.2).
      'RFC 7616 §3.9.2, as in its erratum 4897',
      {
        challenges: [
          'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, ' +
            'nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", ' +
            'opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true',
        ],
        username: 'Jäsøn Doe',
        password: 'Secret, or not?',
        method: 'GET',
        target: '/doe.json',
        cnonce: 'NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v',
      },
      'Digest username="793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b", userhash=true, ' +
        'realm="api@example.org", uri="/doe.json", algorithm=SHA-512-256, ' +
        'nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", nc=00000001, ' +
        'cnonce="NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v", qop=auth, ' +
        'response="3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5", ' +
        'opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS"',
    ],
    [
      'RFC 2617 §3.5',
      {
        challenges: [
          'Digest realm="testrealm@host.com", qop="auth,auth-int", ' +
            'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"',
        ],
        username: 'Mufasa',
        password: 'Circle Of Life',
        method: 'GET',
        target: '/dir/index.html',
        cnonce: '0a4f113b',
      },
      'Digest username="Mufasa", realm="testrealm@host.com", uri="/dir/index.html", ' +
        'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", nc=00000001, cnonce="0a4f113b", qop=auth, ' +
        'response="6629fae49393a05397450978507c4ef1", opaque="5ccc069c403ebaf9f0171e9517f40e41"',
    ],
    [
      // The response that is printed is of nothing; erratum 749 has this one.
      'RFC 2069 §2.4, as in its erratum 749',
      {
        challenges: [
          'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", ' +
            'opaque="5ccc069c403ebaf9f0171e9517f40e41"',
        ],
        username: 'Mufasa',
        password: 'CircleOfLife',
        method: 'GET',
        target: '/dir/index.html',
        cnonce: '',
      },
      'Digest username="Mufasa", realm="testrealm@host.com", uri="/dir/index.html", ' +
        'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", response="1949323746fe6a43ef61f9606e7febea", ' +
        'opaque="5ccc069c403ebaf9f0171e9517f40e41"',
    ],
  ])('%s', async (_name, exchange, line) => {
    const credentials = await answerTo(exchange);
    expect(formatMessage(credentials)).toBe(line);
    const read = readCredentials(credentials);
    expect(read).toMatchObject({ ok: true });
  });

  test('RFC 7616 §3.9.2 gives the name in clear text as well', () => {
    const line =
      'Digest username*=UTF-8\'\'J%C3%A4s%C3%B8n%20Doe, realm="api@example.org", uri="/doe.json", algorithm=SHA-512-256, ' +
      'nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", nc=00000001, ' +
      'cnonce="NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v", qop=auth, ' +
      'response="3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5", userhash=false';
    const parsed = parseCredentials(line);
    expect(parsed.ok && readCredentials(parsed.credentials)).toMatchObject({
      credentials: { name: { username: 'Jäsøn Doe' } },
    });
  });
});

interface DigestRow {
  readonly id: string;
  readonly username: string;
  readonly password: string;
  readonly realm: string;
  readonly nonce: string;
  readonly method: string;
  readonly uri: string;
  readonly response: string;
  readonly algorithm?: string;
  readonly qop?: string;
  readonly nc?: string;
  readonly cnonce?: string;
  readonly body?: string;
  readonly userhash?: boolean;
  readonly usernameOnWire?: string;
  readonly usernameStarOnWire?: string;
  readonly recomputed: boolean;
  readonly recomputedResponse?: string;
}

interface RecordedRow {
  readonly id: string;
  readonly challenge: string;
  readonly credentials: string;
  readonly method: string;
  readonly requestTarget: string;
  readonly password: string;
}

interface Vectors {
  readonly digest: readonly DigestRow[];
  readonly digestRecorded: readonly RecordedRow[];
}

function protectionOf({ qop: name, nc, cnonce }: DigestRow): { protection?: Protection } {
  const qop = name === undefined ? undefined : findQop(name);
  if (qop === undefined) {
    expect([name, nc, cnonce]).toEqual([undefined, undefined, undefined]);
    return {};
  }
  if (nc === undefined || cnonce === undefined) throw new Error('qop needs nc and cnonce');
  return { protection: { qop, nc, cnonce } };
}

function algorithmOf(row: DigestRow): DigestAlgorithm {
  const algorithm = findAlgorithm(row.algorithm ?? 'MD5');
  if (algorithm === undefined) throw new Error(`no algorithm ${row.algorithm}`);
  return algorithm;
}

function compute(row: DigestRow): string {
  const { realm, nonce, method, uri, cnonce, body } = row;
  const algorithm = algorithmOf(row);
  const [username, password] = [wireText(row.username), wireText(row.password)];
  const key = keyOf(algorithm, ha1(algorithm, username, realm, password), nonce, cnonce ?? '');
  return responseOf({ algorithm, key, nonce, uri, ...protectionOf(row) }, method, Buffer.from(body ?? ''));
}

describePublished('responses of Digest', ({ digest, digestRecorded }: Vectors) => {
  test('every section has rows', () => {
    expect([digest.length, digestRecorded.length].includes(0)).toBe(false);
  });

  test.each([...digest])('$id', (row) => {
    // Rows that are printed wrong carry what is right.
    expect(row.recomputed).toBe(row.recomputedResponse === undefined);
    expect(compute(row)).toBe(row.recomputedResponse ?? row.response);
    expect(compute(row) === row.response).toBe(row.recomputed);
    if (row.userhash) {
      const hashed = userhash(algorithmOf(row), wireText(row.username), row.realm);
      expect(hashed === row.usernameOnWire).toBe(row.recomputed);
    }
    const extended = row.usernameStarOnWire;
    if (extended !== undefined) {
      const params = new Map(
        Object.entries({ 'username*': extended, realm: '', nonce: '', uri: '/', response: row.response }),
      ).set('algorithm', row.algorithm ?? 'MD5');
      expect(readCredentials({ scheme: 'digest', params })).toMatchObject({
        credentials: { name: { username: row.username } },
      });
    }
  });

  test.each([...digestRecorded])('$id', async ({ challenge, credentials: line, method, password }) => {
    const parsed = parseCredentials(line);
    const read = parsed.ok ? readCredentials(parsed.credentials) : undefined;
    if (!parsed.ok || !read?.ok) throw new Error('not read');
    const { name, uri, protection } = read.credentials;
    const cnonce = protection?.cnonce ?? '';
    if (!('username' in name)) throw new Error('a hashed name');
    const { username } = name;
    const ours = await answerTo({ challenges: [challenge], username, password, method, target: uri, cnonce });
    expect(Object.fromEntries(ours.params)).toEqual(Object.fromEntries(parsed.credentials.params));
  });
});
