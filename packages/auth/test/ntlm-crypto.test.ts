import { describe, expect, test } from '@jest/globals';
import { AuthError } from '../src/errors.ts';
import { ntlmName } from '../src/schemes/ntlm/account.ts';
import { decodeAvPairs } from '../src/schemes/ntlm/av-pairs.ts';
import { encodeClientChallenge, fileTime, showFileTime } from '../src/schemes/ntlm/client-challenge.ts';
import { lmv2Response, md4, ntHash, ntProof, responseKey, sessionBaseKey } from '../src/schemes/ntlm/crypto.ts';
import { Secret } from '../src/secret.ts';

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');

describe('MD4 (RFC 1320, A.5)', () => {
  test.each([
    ['', '31d6cfe0d16ae931b73c59d7e0c089c0'],
    ['a', 'bde52cb31de33e46245e05fbdbd6fb24'],
    ['abc', 'a448017aaf21d8525fc10ae87aa6729d'],
    ['message digest', 'd9130a8164549fe818874806e1c7014b'],
    ['abcdefghijklmnopqrstuvwxyz', 'd79e1c308aa5bbcdeea8ed63df412da9'],
    ['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', '043f8582f241db351ce627e153e7f0e4'],
    ['1234567890'.repeat(8), 'e33b4ddc9c38f2199c3e7b164fcc0536'],
  ])('of %j', (text, digest) => {
    expect(md4(Buffer.from(text)).toString('hex')).toBe(digest);
  });
});

/** MS-NLMP §4.2.1: the values common to all examples. */
const PASSWORD = new Secret('Password');
const SERVER_CHALLENGE = bytes('01 23 45 67 89 ab cd ef');
const CLIENT_CHALLENGE = bytes('aa aa aa aa aa aa aa aa');

describe('NTLMv2 as in the example of MS-NLMP §4.2.4', () => {
  const key = responseKey(ntHash(PASSWORD), 'User', 'Domain');
  // §4.2.4: the target info of the server, "Domain" and "Server".
  const targetInfo = decodeAvPairs(
    bytes('02000c00 44006f006d00610069006e00 01000c00 530065007200760065007200 00000000'),
  );
  const pairs = targetInfo.ok ? targetInfo.pairs : [];
  const temp = encodeClientChallenge({ timestamp: Buffer.alloc(8), nonce: CLIENT_CHALLENGE, pairs });

  test('§4.2.2.1.2: NTOWFv1', () => {
    expect(ntHash(PASSWORD).reveal()).toBe('a4f49c406510bdcab6824ee7c30fd852');
  });

  test('§4.2.4.1.1: NTOWFv2', () => {
    expect(key).toEqual(bytes('0c 86 8a 40 3b fd 7a 93 a3 00 1e f2 2e f0 2e 3f'));
  });

  test('§4.2.4.1.3: temp', () => {
    expect(temp).toEqual(
      bytes(
        '01010000 00000000 0000000000000000 aaaaaaaaaaaaaaaa 00000000 02000c00 44006f006d00610069006e00' +
          '01000c00 530065007200760065007200 00000000 00000000',
      ),
    );
  });

  test('§4.2.4.2.2: NTProofStr', () => {
    expect(ntProof(key, SERVER_CHALLENGE, temp)).toEqual(bytes('68 cd 0a b8 51 e5 1c 96 aa bc 92 7b eb ef 6a 1c'));
  });

  test('§4.2.4.1.2: session base key', () => {
    const proof = ntProof(key, SERVER_CHALLENGE, temp);
    expect(sessionBaseKey(key, proof)).toEqual(bytes('8d e4 0c ca db c1 4a 82 f1 5c b0 ad 0d e9 5c a3'));
  });

  test('§4.2.4.2.1: LMv2 response', () => {
    expect(lmv2Response(key, SERVER_CHALLENGE, CLIENT_CHALLENGE)).toEqual(
      bytes('86 c3 50 97 ac 9c ec 10 25 54 76 4a 57 cc cc 19 aa aa aa aa aa aa aa aa'),
    );
  });
});

describe('the key of responses', () => {
  const HASH = ntHash(PASSWORD);

  test('is that of a user name in any case, but of a domain in its own', () => {
    const key = responseKey(HASH, 'jürgen', 'Domain');
    expect(responseKey(HASH, 'JÜRGEN', 'Domain')).toEqual(key);
    expect(responseKey(HASH, 'jürgen', 'DOMAIN')).not.toEqual(key);
  });

  // Windows has one upper-case letter per code unit; JavaScript makes SS of ß.
  test('keeps letters that no single one is the upper case of', () => {
    expect(responseKey(HASH, 'weiß', 'D')).toEqual(responseKey(HASH, 'WEIß', 'D'));
    expect(responseKey(HASH, 'weiß', 'D')).not.toEqual(responseKey(HASH, 'WEISS', 'D'));
  });

  test('is that of a hash in digits of either case', () => {
    expect(responseKey(new Secret(HASH.reveal().toUpperCase()), 'u', 'D')).toEqual(responseKey(HASH, 'u', 'D'));
  });

  // The attack: an account whose hash is empty or short would have a key that anybody can compute.
  test.each(['', '00', `${'0'.repeat(32)}0`, `${'0'.repeat(31)}g`, `${'0'.repeat(32)}\n`])(
    'is not made of %j, which is no NT hash, and the error does not show it',
    (digits) => {
      const make = () => responseKey(new Secret(digits), 'user', 'domain');
      expect(make).toThrow(AuthError);
      expect(make).toThrow('not an NT hash: expected 32 hexadecimal digits');
    },
  );

  test('comes from a password as it stands, in no normal form', () => {
    expect(ntHash(new Secret('caf\u00e9')).reveal()).not.toBe(ntHash(new Secret('cafe\u0301')).reveal());
  });
});

describe('names', () => {
  test.each([
    ['alice', undefined, 'alice', ''],
    ['alice', 'CORP', 'alice', 'CORP'],
    ['CORP\\alice', undefined, 'alice', 'CORP'],
    ['CORP\\alice', 'OTHER', 'alice', 'CORP'],
    ['alice@corp.example', undefined, 'alice@corp.example', ''],
    ['alice@corp.example', 'CORP', 'alice@corp.example', 'CORP'],
    ['\\alice', 'CORP', 'alice', ''],
  ])('%s with the domain %s is the user %s of %j', (username, given, user, domain) => {
    expect(ntlmName(username, given)).toEqual({ user, domain });
  });
});

describe('times (MS-DTYP §2.3.3)', () => {
  test('count units of 100 ns since 1601', () => {
    expect(fileTime(() => -11_644_473_600_000)).toEqual(Buffer.alloc(8));
    expect(fileTime(() => 0)).toEqual(bytes('00 80 3e d5 de b1 9d 01'));
    // MS-NLMP has no such example; Date.now may have fractions where a clock is a performance counter.
    expect(fileTime(() => 0.75)).toEqual(fileTime(() => 0));
  });

  test.each([
    ['00 80 3e d5 de b1 9d 01', '1970-01-01T00:00:00.000Z'],
    ['00 00 00 00 00 00 00 00', '1601-01-01T00:00:00.000Z'],
    ['ff ff ff ff ff ff ff ff', '+060056-05-28T05:36:10.955Z'],
    ['00 00', 'not a time: 2 bytes'],
  ])('%s is %s', (hex, shown) => {
    expect(showFileTime(bytes(hex))).toBe(shown);
  });
});
