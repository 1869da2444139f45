import type { ReadToken } from '../../token68.ts';
import { readToken, Unreadable } from '../../token68.ts';
import {
  application,
  context,
  readAll,
  readElement,
  readFields,
  readInteger,
  readObjectIdentifier,
  readOnly,
  TAG,
} from './der.ts';
import type { KerberosMessage } from './kerberos-message.ts';
import { isKerberosMessage, readKerberosMessage } from './kerberos-message.ts';

/** `negState` (RFC 4178 §4.2.2), in the order of its numbers. */
const NEG_STATES = ['accept-completed', 'accept-incomplete', 'reject', 'request-mic'] as const;
export type NegState = (typeof NEG_STATES)[number];

/** A token of one mechanism, bare or in the frame that names it. */
export type MechanismToken =
  /** In the frame of RFC 1964 §1.1, or without (inside of SPNEGO some servers leave it off). */
  | { readonly kind: 'kerberos'; readonly message: KerberosMessage }
  /** A message of MS-NLMP, undecoded. */
  | { readonly kind: 'ntlm'; readonly bytes: Buffer }
  /** Any other, by its OBJECT IDENTIFIER where it has a frame. */
  | { readonly kind: 'other'; readonly mechanism?: string };

/** What the scheme Negotiate carries (RFC 4559 §4): SPNEGO, or by old habit the token of a mechanism itself. */
export type NegotiateToken =
  /** RFC 4178 §4.2.1, and the NegTokenInit2 of MS-SPNG §2.2.1. `mechTypes` in dots, preferred one first. */
  | { readonly kind: 'NegTokenInit'; readonly mechTypes: readonly string[]; readonly mechToken?: MechanismToken }
  | {
      readonly kind: 'NegTokenResp';
      readonly negState?: NegState;
      readonly supportedMech?: string;
      readonly responseToken?: MechanismToken;
    }
  | MechanismToken;

export type DecodedNegotiate = ReadToken<{ readonly token: NegotiateToken }>;

const SPNEGO = '1.3.6.1.5.5.2';

/** Mechanisms by their OBJECT IDENTIFIER (RFC 4178 §3, RFC 1964 §1, MS-SPNG §1.9, MS-NEGOEX §1.9). */
const MECHANISMS = new Map<string, string>([
  [SPNEGO, 'SPNEGO'],
  ['1.2.840.113554.1.2.2', 'Kerberos'],
  ['1.2.840.48018.1.2.2', 'MS-Kerberos'],
  ['1.2.840.113554.1.2.2.3', 'Kerberos user-to-user'],
  ['1.3.6.1.5.2.5', 'IAKERB'],
  ['1.3.6.1.4.1.311.2.2.10', 'NTLMSSP'],
  ['1.3.6.1.4.1.311.2.2.30', 'NegoEx'],
]);
const KERBEROS: ReadonlySet<string> = new Set(['Kerberos', 'MS-Kerberos', 'Kerberos user-to-user']);

/** A mechanism for people: its name, or the number where it has none here. */
export const mechanismName = (oid: string): string => MECHANISMS.get(oid) ?? oid;

/** The frame of GSS-API (RFC 2743 §3.1): the mechanism, then a token of it. */
const FRAME = application(0);
const INIT = context(0);
const RESP = context(1);
const NTLMSSP = Buffer.from('NTLMSSP\0', 'latin1');

/** RFC 1964 §1.1: which message follows, in two bytes. */
const TOKEN_IDS = new Map<number, KerberosMessage['kind']>([
  [0x0100, 'AP-REQ'],
  [0x0200, 'AP-REP'],
  [0x0300, 'KRB-ERROR'],
]);

function readFramedKerberos(body: Buffer): MechanismToken {
  if (body.length < 2) throw new Unreadable('cut off before the token id of Kerberos');
  const id = body.readUInt16BE(0);
  const expected = TOKEN_IDS.get(id);
  if (expected === undefined) throw new Unreadable(`a token of Kerberos with the id 0x${id.toString(16)}`);
  const message = readKerberosMessage(body.subarray(2));
  if (message.kind !== expected) throw new Unreadable(`the token id says ${expected}, what follows is ${message.kind}`);
  return { kind: 'kerberos', message };
}

/** Takes the frame off: the mechanism, and what it wraps. */
function unframe(bytes: Buffer): { readonly mechanism: string; readonly body: Buffer } {
  const { tag, content, rest } = readElement(readOnly(bytes, FRAME, 'frame of GSS-API'));
  if (tag !== TAG.objectIdentifier) throw new Unreadable('the frame of GSS-API names no mechanism');
  return { mechanism: readObjectIdentifier(content), body: rest };
}

const ofMechanism = (mechanism: string, body: Buffer): MechanismToken =>
  KERBEROS.has(mechanismName(mechanism)) ? readFramedKerberos(body) : { kind: 'other', mechanism };

/** `bytes` as a token of some mechanism; SPNEGO does not go into SPNEGO. */
function readMechanismToken(bytes: Buffer): MechanismToken {
  if (bytes.subarray(0, NTLMSSP.length).equals(NTLMSSP)) return { kind: 'ntlm', bytes };
  if (isKerberosMessage(bytes)) return { kind: 'kerberos', message: readKerberosMessage(bytes) };
  if (bytes[0] !== FRAME) return { kind: 'other' };
  const { mechanism, body } = unframe(bytes);
  return ofMechanism(mechanism, body);
}

const octets = (bytes: Buffer, name: string): MechanismToken =>
  readMechanismToken(readOnly(bytes, TAG.octetString, name));

/** A MechTypeList (RFC 4178 §4.1). */
function readMechTypes(bytes: Buffer): string[] {
  return readAll(readOnly(bytes, TAG.sequence, 'mechTypes'), 'mechTypes').map(({ tag, content }) => {
    if (tag !== TAG.objectIdentifier) throw new Unreadable('mechTypes: not a list of OBJECT IDENTIFIERs');
    return readObjectIdentifier(content);
  });
}

/** Fields [3] and [4] are a checksum and hints that nobody needs (`not_defined_in_RFC4178@please_ignore`). */
function readInit(bytes: Buffer): NegotiateToken {
  const fields = readFields(bytes, 'NegTokenInit');
  const mechTypes = fields.get(0);
  const mechToken = fields.get(2);
  if (mechTypes === undefined) throw new Unreadable('NegTokenInit: no mechTypes');
  return {
    kind: 'NegTokenInit',
    mechTypes: readMechTypes(mechTypes),
    ...(mechToken === undefined ? {} : { mechToken: octets(mechToken, 'mechToken') }),
  };
}

function readResp(bytes: Buffer): NegotiateToken {
  const fields = readFields(bytes, 'NegTokenResp');
  const negState = fields.get(0);
  const supportedMech = fields.get(1);
  const responseToken = fields.get(2);
  return {
    kind: 'NegTokenResp',
    ...(negState === undefined ? {} : { negState: readNegState(negState) }),
    ...(supportedMech === undefined
      ? {}
      : { supportedMech: readObjectIdentifier(readOnly(supportedMech, TAG.objectIdentifier, 'supportedMech')) }),
    ...(responseToken === undefined ? {} : { responseToken: octets(responseToken, 'responseToken') }),
  };
}

function readNegState(bytes: Buffer): NegState {
  const number = readInteger(readOnly(bytes, TAG.enumerated, 'negState'), 'negState');
  const state = NEG_STATES[number];
  if (state === undefined) throw new Unreadable(`negState: ${number}, there are 0 to ${NEG_STATES.length - 1}`);
  return state;
}

function read(bytes: Buffer): NegotiateToken {
  // What follows the first token goes without a frame (RFC 4178 §4.2), and some send the first one so, too.
  if (bytes[0] === INIT) return readInit(readOnly(bytes, INIT, 'NegTokenInit'));
  if (bytes[0] === RESP) return readResp(readOnly(bytes, RESP, 'NegTokenResp'));
  if (bytes[0] === FRAME) {
    const { mechanism, body } = unframe(bytes);
    if (mechanism !== SPNEGO) return ofMechanism(mechanism, body);
    if (body[0] === RESP) return readResp(readOnly(body, RESP, 'NegTokenResp'));
    return readInit(readOnly(body, INIT, 'NegTokenInit'));
  }
  const token = readMechanismToken(bytes);
  if (token.kind === 'other') throw new Unreadable('neither SPNEGO, Kerberos nor NTLM');
  return token;
}

/** Reads the token of a challenge or of credentials. Never throws. */
export function decodeNegotiateToken(token68: string): DecodedNegotiate {
  return readToken(token68, (bytes) => ({ token: read(bytes) }));
}
