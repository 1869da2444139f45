import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { describeNegotiate } from '../src/schemes/negotiate/describe.ts';
import { decodeNegotiateToken } from '../src/schemes/negotiate/wire.ts';
import { describeNtlm } from '../src/schemes/ntlm/describe.ts';
import {
  apRep,
  apReq,
  base64,
  der,
  enumerated,
  field,
  framed,
  framedKerberos,
  integer,
  krbError,
  negTokenInit,
  negTokenResp,
  OID,
  octetString,
  sequence,
} from './negotiate-tokens.ts';

const NTLM_TYPE_1 = Buffer.from('4e544c4d5353500001000000010000000000000000000000000000000000000000', 'hex').subarray(
  0,
  32,
);
const decode = (bytes: Uint8Array) => decodeNegotiateToken(base64(bytes));
const shown = (bytes: Uint8Array) => describeNegotiate(base64(bytes), describeNtlm);

const REQUEST = { mechanism: 'Kerberos', message: 'AP-REQ', service: 'HTTP/proxy.test@TEST' };
const AES = { encryption: 'aes256-cts-hmac-sha1-96' };
const NTLM = {
  mechanism: 'NTLMSSP',
  message: 'NEGOTIATE (type 1)',
  flags: 'NEGOTIATE_UNICODE',
  domain: '',
  workstation: '',
};

/** What others may send, and what is shown of it. */
const GOOD: readonly (readonly [string, Buffer, Record<string, string>])[] = [
  [
    'a first token of SPNEGO with a ticket',
    framed(OID.spnego, negTokenInit([OID.kerberos, OID.msKerberos, OID.ntlm], framedKerberos(1, apReq()))),
    { SPNEGO: 'NegTokenInit', mechanisms: 'Kerberos, MS-Kerberos, NTLMSSP', ...REQUEST, ...AES },
  ],
  [
    'one without the frame',
    negTokenInit([OID.msKerberos], framedKerberos(1, apReq('proxy.test', 23))),
    { SPNEGO: 'NegTokenInit', mechanisms: 'MS-Kerberos', ...REQUEST, encryption: 'rc4-hmac' },
  ],
  [
    'one that only names mechanisms, one of them unknown',
    framed(OID.spnego, negTokenInit([OID.negoEx, OID.unknown])),
    { SPNEGO: 'NegTokenInit', mechanisms: 'NegoEx, 1.3.6.1.4.1.311.3.3' },
  ],
  [
    'NTLM inside of SPNEGO',
    framed(OID.spnego, negTokenInit([OID.ntlm], NTLM_TYPE_1)),
    { SPNEGO: 'NegTokenInit', mechanisms: 'NTLMSSP', ...NTLM },
  ],
  [
    'NegoEx inside of SPNEGO, undecoded',
    framed(OID.spnego, negTokenInit([OID.negoEx], Buffer.from('NEGOEXTS'))),
    { SPNEGO: 'NegTokenInit', mechanisms: 'NegoEx' },
  ],
  [
    'an answer with a proof',
    negTokenResp(0, OID.kerberos, framedKerberos(2, apRep())),
    { SPNEGO: 'NegTokenResp', state: 'accept-completed', mechanism: 'Kerberos', message: 'AP-REP' },
  ],
  [
    'an answer with a proof that has no frame',
    negTokenResp(0, OID.kerberos, apRep()),
    { SPNEGO: 'NegTokenResp', state: 'accept-completed', mechanism: 'Kerberos', message: 'AP-REP' },
  ],
  ['an answer in a frame', framed(OID.spnego, negTokenResp(3)), { SPNEGO: 'NegTokenResp', state: 'request-mic' }],
  ['a refusal', negTokenResp(2), { SPNEGO: 'NegTokenResp', state: 'reject' }],
  ['an answer that says nothing', negTokenResp(), { SPNEGO: 'NegTokenResp' }],
  ['a ticket in the frame of Kerberos', framedKerberos(1, apReq()), { ...REQUEST, ...AES }],
  ['a ticket in the frame of MS-Kerberos', framedKerberos(1, apReq(), OID.msKerberos), { ...REQUEST, ...AES }],
  ['a ticket without a frame', apReq(), { ...REQUEST, ...AES }],
  [
    'a ticket of an encryption without a name here, for a service whose name would steer a terminal',
    apReq('p\x1b[2J', 99),
    { ...REQUEST, service: 'HTTP/p\\x1b[2J@TEST', encryption: 'etype 99' },
  ],
  [
    'an error with a text',
    framedKerberos(3, krbError(37, 'set\nyour clock')),
    {
      mechanism: 'Kerberos',
      message: 'KRB-ERROR',
      error: 'KRB_AP_ERR_SKEW: the clocks differ too much',
      text: 'set\\x0ayour clock',
    },
  ],
  [
    'an error without a name here, inside of SPNEGO',
    negTokenResp(2, OID.kerberos, krbError(99)),
    { SPNEGO: 'NegTokenResp', state: 'reject', mechanism: 'Kerberos', message: 'KRB-ERROR', error: 'error 99' },
  ],
  ['NTLM as it is', NTLM_TYPE_1, NTLM],
  ['a mechanism without a name here', framed(OID.unknown, Buffer.from('abc')), { mechanism: '1.3.6.1.4.1.311.3.3' }],
];

test.each(GOOD)('%s is read', (_what, bytes, fields) => {
  expect(shown(bytes)).toEqual(fields);
});

describe('what is cut off', () => {
  // NTLM ends where it likes for this reader, and a mechanism that is unknown here, too.
  const bounded = GOOD.filter(([, bytes]) => bytes[0] !== 0x4e);
  test.each(bounded)('%s, at every byte, is malformed', (_what, bytes) => {
    const read = Array.from({ length: bytes.length }, (_, length) => decode(bytes.subarray(0, length)).ok);
    expect(read).toEqual(read.map(() => false));
  });
});

const OTHER_FRAME = sequence(field(0, sequence(OID.kerberos)));

test.each<[string, Buffer, string]>([
  ['nothing', Buffer.alloc(0), 'no base64'],
  ['text', Buffer.from('Hello'), 'neither SPNEGO, Kerberos nor NTLM'],
  ['bytes after the end', Buffer.concat([negTokenResp(0), Buffer.alloc(2)]), 'NegTokenResp: 2 bytes after its end'],
  ['a length past the end', Buffer.from('a1847fffffff', 'hex'), 'an element 0xa1 of 2147483647 bytes where 0 are left'],
  ['a length of five octets', Buffer.from('a1850000000001', 'hex'), 'a length of 5 octets'],
  ['an indefinite length', Buffer.from('a1800000', 'hex'), 'an indefinite length, which DER has not'],
  ['a tag of several octets', field(1, Buffer.from('1f8100', 'hex')), 'a tag of several octets, 0x1f'],
  ['no SEQUENCE', field(1, integer(1)), 'NegTokenResp: expected 0x30, found 0x02'],
  ['a field that is none', field(1, sequence(integer(1))), 'NegTokenResp: a field with the tag 0x02'],
  [
    'a field twice',
    field(1, sequence(field(0, enumerated(0)), field(0, enumerated(0)))),
    'NegTokenResp: two fields [0]',
  ],
  ['a state that is none', negTokenResp(4), 'negState: 4, there are 0 to 3'],
  ['a negative state', negTokenResp(255), 'negState: -1, there are 0 to 3'],
  ['a state of no bytes', field(1, sequence(field(0, der(0x0a)))), 'negState: a number of 0 bytes'],
  ['a state of nine bytes', field(1, sequence(field(0, der(0x0a, Buffer.alloc(9))))), 'negState: a number of 9 bytes'],
  ['no mechanisms', field(0, sequence()), 'NegTokenInit: no mechTypes'],
  ['mechanisms that are numbers', negTokenInit([integer(1)]), 'mechTypes: not a list of OBJECT IDENTIFIERs'],
  [
    'as many mechanisms as fit',
    negTokenInit(Array.from({ length: 65 }, () => OID.ntlm)),
    'mechTypes: more than 64 elements',
  ],
  ['an empty OBJECT IDENTIFIER', negTokenInit([der(0x06)]), 'an OBJECT IDENTIFIER that is cut off'],
  ['one that ends early', negTokenInit([der(0x06, Buffer.from([0x2b, 0x86]))]), 'an OBJECT IDENTIFIER that is cut off'],
  [
    'one with an endless number',
    negTokenInit([der(0x06, Buffer.alloc(64, 0xff))]),
    'an OBJECT IDENTIFIER with too large a number',
  ],
  ['a frame that names nothing', framed(integer(1)), 'the frame of GSS-API names no mechanism'],
  ['a frame around something else', framed(OID.spnego, OTHER_FRAME), 'NegTokenInit: expected 0xa0, found 0x30'],
  ['Kerberos without a message', framed(OID.kerberos, Buffer.from([1])), 'cut off before the token id of Kerberos'],
  ['Kerberos with another id', framedKerberos(4, apReq()), 'a token of Kerberos with the id 0x400'],
  [
    'Kerberos with the id of another message',
    framedKerberos(2, apReq()),
    'the token id says AP-REP, what follows is AP-REQ',
  ],
  [
    'Kerberos with no message of its own',
    framedKerberos(1, octetString(apReq())),
    'neither AP-REQ, AP-REP nor KRB-ERROR',
  ],
  ['a request without a ticket', der(0x6e, sequence(field(0, integer(5)))), 'ticket: missing'],
  ['an error without a code', der(0x7e, sequence(field(0, integer(5)))), 'error-code: missing'],
  [
    'SPNEGO inside of SPNEGO inside of SPNEGO, a mechanism that nobody can have meant',
    framed(OID.spnego, negTokenInit([OID.spnego], framed(OID.spnego, negTokenInit([OID.spnego])))),
    '',
  ],
])('%s is malformed, or read no further', (_what, bytes, why) => {
  const fields = shown(bytes);
  if (why === '') expect(fields).toEqual({ SPNEGO: 'NegTokenInit', mechanisms: 'SPNEGO', mechanism: 'SPNEGO' });
  else expect(fields).toEqual({ malformed: why });
});

test.each([
  ['no base64', '*'.repeat(8)],
  ['longer than 65536 bytes', 'A'.repeat(90_000)],
])('%s is said without decoding', (why, token68) => {
  expect(decodeNegotiateToken(token68)).toEqual({ ok: false, why });
});

test('more bytes than a header line holds are not read', () => {
  expect(decode(Buffer.alloc(65_537))).toEqual({ ok: false, why: 'longer than 65536 bytes' });
});

describe('never throws', () => {
  const told = (bytes: Uint8Array): boolean => {
    const decoded = decode(bytes);
    return decoded.ok ? typeof decoded.token.kind === 'string' : decoded.why !== '';
  };

  test('whatever the bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), told));
  });

  test('whichever bytes of a good token are others', () => {
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.constantFrom(...GOOD), fc.array(change, { minLength: 1, maxLength: 4 }), ([, good], changes) => {
        const bytes = Buffer.from(good);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        return told(bytes) && typeof shown(bytes) === 'object';
      }),
      { numRuns: 500 },
    );
  });

  test('however deep it is nested', () => {
    let bytes = negTokenInit([OID.spnego]);
    for (let i = 0; i < 3000; i += 1) bytes = der(0x60, OID.spnego, bytes.subarray(0, 60_000));
    expect(told(bytes)).toBe(true);
  });

  test('whatever the text', () => {
    fc.assert(fc.property(fc.string(), (text) => typeof decodeNegotiateToken(text).ok === 'boolean'));
  });
});
