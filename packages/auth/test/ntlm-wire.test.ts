import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AuthError } from '../src/errors.ts';
import type { AvPair } from '../src/schemes/ntlm/av-pairs.ts';
import {
  AV_ID,
  announcesMic,
  avText,
  avValue,
  decodeAvPairs,
  encodeAvPairs,
  withMicAnnounced,
} from '../src/schemes/ntlm/av-pairs.ts';
import { decodeNtlmv2Response } from '../src/schemes/ntlm/client-challenge.ts';
import { describeNtlm } from '../src/schemes/ntlm/describe.ts';
import { flagNames, flagsOf } from '../src/schemes/ntlm/flags.ts';
import type { NtlmMessage } from '../src/schemes/ntlm/wire.ts';
import { decodeToken, encodeMessage } from '../src/schemes/ntlm/wire.ts';

const UNICODE = flagsOf('NEGOTIATE_UNICODE');
const INFORMED = flagsOf('NEGOTIATE_UNICODE', 'NEGOTIATE_TARGET_INFO');
const SUPPLIED = flagsOf('NEGOTIATE_OEM_DOMAIN_SUPPLIED', 'NEGOTIATE_OEM_WORKSTATION_SUPPLIED');

const NEGOTIATE: NtlmMessage = { type: 1, flags: SUPPLIED, domain: 'DOMAIN', workstation: 'COMPUTER' };
const CHALLENGE: NtlmMessage = {
  type: 2,
  flags: INFORMED,
  targetName: 'Domäne',
  serverChallenge: Buffer.from('0123456789abcdef', 'hex'),
  targetInfo: encodeAvPairs([avText(AV_ID.NbDomainName, 'Domäne')]),
};
const AUTHENTICATE: NtlmMessage = {
  type: 3,
  flags: UNICODE,
  domain: 'Domäne',
  user: 'Jürgen',
  workstation: 'COMPUTER',
  lmResponse: Buffer.alloc(24),
  ntResponse: Buffer.alloc(60, 7),
  sessionKey: Buffer.alloc(16, 9),
  mic: Buffer.alloc(16, 3),
};

const decode = (bytes: Buffer) => decodeToken(bytes.toString('base64'));

function decoded(bytes: Buffer): NtlmMessage | string {
  const result = decode(bytes);
  return result.ok ? result.message : result.why;
}

/** A copy with little-endian numbers written over it. */
function patched(
  message: NtlmMessage,
  ...numbers: readonly (readonly [at: number, size: 2 | 4, value: number])[]
): Buffer {
  const bytes = encodeMessage(message);
  for (const [at, size, value] of numbers) bytes.writeUIntLE(value, at, size);
  return bytes;
}

describe('the messages of NTLM (MS-NLMP §2.2.1)', () => {
  test.each([
    ['NEGOTIATE', NEGOTIATE],
    ['CHALLENGE', CHALLENGE],
    ['AUTHENTICATE', AUTHENTICATE],
  ])('%s is read as it was written', (_name, message) => {
    expect(decoded(encodeMessage(message))).toEqual(message);
  });

  test.each([
    ['NEGOTIATE', NEGOTIATE],
    ['CHALLENGE', CHALLENGE],
    ['AUTHENTICATE', AUTHENTICATE],
  ])('%s is refused wherever it is cut off', (_name, message) => {
    const bytes = encodeMessage(message);
    const read = Array.from(bytes, (_byte, length) => decode(bytes.subarray(0, length)));
    expect(read.filter(({ ok }) => ok)).toEqual([]);
  });

  test.each<[string, Buffer, string]>([
    ['next to nothing', Buffer.alloc(1), '1 bytes, too short for a message of NTLM'],
    ['another signature', Buffer.from('NTLMSSQ\0\x01\0\0\0'), 'no signature NTLMSSP at its start'],
    ['a Kerberos token', Buffer.from('6082012306062b0601050502a0820117', 'hex'), 'no signature NTLMSSP at its start'],
    ['type 4', patched(NEGOTIATE, [8, 4, 4]), 'a message of type 4, there are 1, 2 and 3'],
    ['more than 64 KiB', Buffer.alloc(65_537), 'longer than 65536 bytes'],
    [
      'a domain past the end',
      patched(NEGOTIATE, [20, 4, 43]),
      'type 1: the domain ends at 49, past the end of the message at 46',
    ],
    [
      'a workstation at the end of all addresses',
      patched(NEGOTIATE, [28, 4, 0xffffffff]),
      'type 1: the workstation ends at 4294967303, past the end of the message at 46',
    ],
    ['a domain in the signature', patched(NEGOTIATE, [20, 4, 0]), 'type 1: the domain lies inside of the header, at 0'],
    [
      'a target name that is too long',
      patched(CHALLENGE, [12, 2, 0xffff]),
      'type 2: the target name ends at 65591, past the end of the message at 88',
    ],
    [
      'a target name of half a character',
      patched(CHALLENGE, [12, 2, 11]),
      'type 2: the target name has 11 bytes, an odd number, in UTF-16',
    ],
    [
      'target info past the end',
      patched(CHALLENGE, [44, 4, 69]),
      'type 2: the target info ends at 89, past the end of the message at 88',
    ],
    [
      'target info in the header',
      patched(CHALLENGE, [44, 4, 47]),
      'type 2: the target info lies inside of the header, at 47',
    ],
    [
      'target info in a message that ends before its place',
      encodeMessage(CHALLENGE).subarray(0, 40),
      'type 2: 40 bytes, a message of this type has at least 48',
    ],
    [
      'a user name of half a character',
      patched(AUTHENTICATE, [36, 2, 3]),
      'type 3: the user name has 3 bytes, an odd number, in UTF-16',
    ],
    [
      'an NT response in the flags',
      patched(AUTHENTICATE, [24, 4, 60]),
      'type 3: the NT response lies inside of the header, at 60',
    ],
    [
      'a session key past the end',
      patched(AUTHENTICATE, [56, 4, 0x7fffffff]),
      'type 3: the session key ends at 2147483663, past the end of the message at 228',
    ],
    [
      'an old type 3 without flags',
      encodeMessage(AUTHENTICATE).subarray(0, 52),
      'type 3: 52 bytes, a message of this type has at least 64',
    ],
  ])('say where they are wrong: %s', (_name, bytes, why) => {
    expect(decoded(bytes)).toBe(why);
  });

  test('of an old server end after their challenge', () => {
    const bytes = encodeMessage({ ...CHALLENGE, flags: UNICODE, targetName: '' });
    expect(decoded(bytes.subarray(0, 32))).toEqual({
      type: 2,
      flags: UNICODE,
      targetName: '',
      serverChallenge: CHALLENGE.serverChallenge,
    });
  });

  test('have an offset that means nothing where a field is empty (§2.2.1)', () => {
    const message: NtlmMessage = { ...NEGOTIATE, domain: '' };
    expect(decoded(patched(message, [20, 4, 0xffffffff]))).toEqual(message);
  });

  test('of type 1 have no names but those that their flags announce', () => {
    expect(decoded(encodeMessage({ ...NEGOTIATE, flags: UNICODE }))).toEqual({
      type: 1,
      flags: UNICODE,
      domain: '',
      workstation: '',
    });
  });

  test('have names in ISO 8859-1 where they are not in Unicode', () => {
    const message: NtlmMessage = { ...AUTHENTICATE, flags: flagsOf('NEGOTIATE_OEM') };
    const bytes = encodeMessage(message);
    expect(bytes.includes(Buffer.from('Jürgen', 'latin1'))).toBe(true);
    expect(decoded(bytes)).toEqual(message);
  });

  test('have no MIC where the payload begins in its place', () => {
    const { mic: _mic, ...message } = AUTHENTICATE;
    expect(decoded(encodeMessage(message))).toEqual(message);
  });

  test('are not written with a field that no length can tell', () => {
    expect(() => encodeMessage({ ...AUTHENTICATE, ntResponse: Buffer.alloc(65_536) })).toThrow(AuthError);
  });
});

describe('tokens', () => {
  const BASE64 = encodeMessage(NEGOTIATE).toString('base64');

  test('may lack their padding', () => {
    expect(BASE64).toMatch(/=$/);
    expect(decodeToken(BASE64.replace(/=+$/, ''))).toMatchObject({ ok: true, message: NEGOTIATE });
  });

  test.each([
    ['the alphabet of URLs', `${BASE64.slice(0, -4)}_-==`, 'no base64'],
    ['padding in the middle', `${BASE64}${BASE64}`, 'no base64'],
    ['nothing', '', 'no base64'],
    ['a megabyte', 'A'.repeat(1 << 20), 'longer than 65536 bytes'],
  ])('are refused: %s', (_name, token68, why) => {
    expect(decodeToken(token68)).toEqual({ ok: false, why });
  });
});

describe('AV pairs (MS-NLMP §2.2.2.1)', () => {
  const PAIRS: AvPair[] = [
    avText(AV_ID.NbDomainName, 'Domain'),
    { id: AV_ID.Flags, value: Buffer.from('01000000', 'hex') },
    { id: 0x1234, value: Buffer.alloc(0) },
  ];

  test('are read up to their end mark, and what follows is not theirs', () => {
    const bytes = Buffer.concat([encodeAvPairs(PAIRS), Buffer.from('02000400', 'hex')]);
    expect(decodeAvPairs(bytes)).toEqual({ ok: true, pairs: PAIRS });
  });

  test('are refused wherever they are cut off', () => {
    const bytes = encodeAvPairs(PAIRS);
    const read = Array.from(bytes, (_byte, length) => decodeAvPairs(bytes.subarray(0, length)));
    expect(read.filter(({ ok }) => ok)).toEqual([]);
  });

  test.each([
    ['no end mark', '', 'the target info has no end mark (MsvAvEOL)'],
    ['a value past the end', '0100050041004200', 'the target info ends inside of the pair at 0'],
  ])('say what is wrong with them: %s', (_name, hex, why) => {
    expect(decodeAvPairs(Buffer.from(hex, 'hex'))).toEqual({ ok: false, why });
  });

  test('announce a MIC beside the flags that are there', () => {
    expect(announcesMic(PAIRS)).toBe(false);
    const announced = withMicAnnounced(PAIRS);
    expect(announcesMic(announced)).toBe(true);
    expect(announced.filter(({ id }) => id === AV_ID.Flags)).toEqual([
      { id: AV_ID.Flags, value: Buffer.from('03000000', 'hex') },
    ]);
    expect(avValue(withMicAnnounced([]), AV_ID.Flags)).toEqual(Buffer.from('02000000', 'hex'));
  });
});

describe('flags (MS-NLMP §2.2.2.5)', () => {
  test('have names, and a number where they have none', () => {
    expect(flagNames(0x8000_0501)).toEqual(['NEGOTIATE_UNICODE', 'NEGOTIATE_56', '0x00000500']);
  });

  test('of the highest bit stay positive', () => {
    expect(flagsOf('NEGOTIATE_56', 'NEGOTIATE_UNICODE')).toBe(0x8000_0001);
  });
});

const octets = (maxLength: number, minLength = 0) =>
  fc.uint8Array({ minLength, maxLength }).map((bytes) => Buffer.from(bytes));
const anyFlags = fc.integer({ min: 0, max: 0xffff_ffff });
const latin1 = fc.string({
  unit: fc.integer({ min: 0, max: 0xff }).map((code) => String.fromCharCode(code)),
  maxLength: 20,
});
// Lone surrogates are names as well, to Windows.
const utf16 = fc.string({
  unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
  maxLength: 20,
});
const unicodeFlags = anyFlags.map((flags) => (flags | UNICODE) >>> 0);
const TARGET_INFO = flagsOf('NEGOTIATE_TARGET_INFO');

const anyMessage: fc.Arbitrary<NtlmMessage> = fc.oneof(
  fc.record({
    type: fc.constant(1 as const),
    flags: anyFlags.map((flags) => (flags | SUPPLIED) >>> 0),
    domain: latin1,
    workstation: latin1,
  }),
  fc.record({
    type: fc.constant(2 as const),
    flags: unicodeFlags.map((flags) => (flags & ~TARGET_INFO) >>> 0),
    targetName: utf16,
    serverChallenge: octets(8, 8),
  }),
  fc.record({
    type: fc.constant(2 as const),
    flags: unicodeFlags.map((flags) => (flags | TARGET_INFO) >>> 0),
    targetName: utf16,
    serverChallenge: octets(8, 8),
    targetInfo: octets(40),
  }),
  fc.record(
    {
      type: fc.constant(3 as const),
      flags: unicodeFlags,
      domain: utf16,
      user: utf16,
      workstation: utf16,
      lmResponse: octets(24),
      ntResponse: octets(60),
      sessionKey: octets(16),
      mic: octets(16, 16),
    },
    { requiredKeys: ['type', 'flags', 'domain', 'user', 'workstation', 'lmResponse', 'ntResponse', 'sessionKey'] },
  ),
);

describe('whatever comes', () => {
  test('any message is read as it was written', () => {
    fc.assert(fc.property(anyMessage, (message) => expect(decoded(encodeMessage(message))).toEqual(message)));
  });

  test('any list of AV pairs is read as it was written', () => {
    const pair = fc.record({ id: fc.integer({ min: 1, max: 0xffff }), value: octets(20) });
    fc.assert(
      fc.property(fc.array(pair), (pairs) => expect(decodeAvPairs(encodeAvPairs(pairs))).toEqual({ ok: true, pairs })),
    );
  });

  test('no bytes and no text make a reader throw', () => {
    const signed = fc
      .tuple(fc.integer({ min: 0, max: 4 }), octets(120))
      .map(([type, rest]) =>
        Buffer.concat([Buffer.from(`NTLMSSP\0${String.fromCharCode(type)}\0\0\0`, 'latin1'), rest]),
      );
    const damaged = fc.tuple(anyMessage, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([message, at, byte]) => {
      const bytes = encodeMessage(message);
      bytes[12 + (at % (bytes.length - 12))] = byte;
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(octets(120), signed, damaged), (bytes) => {
        expect(typeof decode(bytes).ok).toBe('boolean');
        expect(typeof decodeAvPairs(bytes).ok).toBe('boolean');
        expect(typeof decodeNtlmv2Response(bytes).ok).toBe('boolean');
        expect(Object.keys(describeNtlm(bytes.toString('base64')))).not.toEqual([]);
      }),
    );
    fc.assert(fc.property(fc.string(), (text) => expect(typeof decodeToken(text).ok).toBe('boolean')));
  });
});
