/** Tokens of SPNEGO and Kerberos, written by hand as X.690, RFC 4178 and RFC 4120 have them; not by the reader's code. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const octets = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...octets]), content]);
}

export const field = (number: number, ...parts: readonly Uint8Array[]): Buffer => der(0xa0 + number, ...parts);
export const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
export const integer = (value: number): Buffer => der(0x02, Buffer.from([value]));
export const enumerated = (value: number): Buffer => der(0x0a, Buffer.from([value]));
export const octetString = (bytes: Uint8Array): Buffer => der(0x04, bytes);
const text = (value: string): Buffer => der(0x1b, Buffer.from(value));

export const OID = {
  spnego: oid('2b0601050502'),
  kerberos: oid('2a864886f712010202'),
  msKerberos: oid('2a864882f712010202'),
  userToUser: oid('2a864886f71201020203'),
  ntlm: oid('2b06010401823702020a'),
  negoEx: oid('2b06010401823702021e'),
  unknown: oid('2b0601040182370303'),
};

const principal = (...parts: readonly string[]): Buffer =>
  sequence(field(0, integer(2)), field(1, sequence(...parts.map(text))));

const encrypted = (etype: number): Buffer =>
  sequence(field(0, integer(etype)), field(2, octetString(Buffer.alloc(40, 0x5a))));

/** RFC 4120 §5.5.1. */
export const apReq = (host = 'proxy.test', etype = 18): Buffer =>
  der(
    0x6e,
    sequence(
      field(0, integer(5)),
      field(1, integer(14)),
      field(2, der(0x03, Buffer.from([0, 0x20, 0, 0, 0]))),
      field(
        3,
        der(
          0x61,
          sequence(
            field(0, integer(5)),
            field(1, text('TEST')),
            field(2, principal('HTTP', host)),
            field(3, encrypted(etype)),
          ),
        ),
      ),
      field(4, encrypted(etype)),
    ),
  );

/** RFC 4120 §5.5.2. */
export const apRep = (): Buffer =>
  der(0x6f, sequence(field(0, integer(5)), field(1, integer(15)), field(2, encrypted(18))));

/** RFC 4120 §5.9.1. */
export const krbError = (code: number, eText?: string): Buffer =>
  der(
    0x7e,
    sequence(
      field(0, integer(5)),
      field(1, integer(30)),
      field(6, integer(code)),
      field(9, text('TEST')),
      field(10, principal('HTTP', 'proxy.test')),
      ...(eText === undefined ? [] : [field(11, text(eText))]),
    ),
  );

/** RFC 2743 §3.1 around RFC 1964 §1.1. */
export const framed = (mechanism: Uint8Array, ...parts: readonly Uint8Array[]): Buffer =>
  der(0x60, mechanism, ...parts);
export const framedKerberos = (id: number, message: Uint8Array, mechanism = OID.kerberos): Buffer =>
  framed(mechanism, Buffer.from([id, 0]), message);

/** RFC 4178 §4.2.1. */
export const negTokenInit = (mechTypes: readonly Uint8Array[], mechToken?: Uint8Array): Buffer =>
  field(
    0,
    sequence(field(0, sequence(...mechTypes)), ...(mechToken === undefined ? [] : [field(2, octetString(mechToken))])),
  );

/** RFC 4178 §4.2.2. */
export const negTokenResp = (negState?: number, mechanism?: Uint8Array, responseToken?: Uint8Array): Buffer =>
  field(
    1,
    sequence(
      ...(negState === undefined ? [] : [field(0, enumerated(negState))]),
      ...(mechanism === undefined ? [] : [field(1, mechanism)]),
      ...(responseToken === undefined ? [] : [field(2, octetString(responseToken))]),
    ),
  );

export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
