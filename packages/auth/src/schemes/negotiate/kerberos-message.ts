import { printable } from '../../controls.ts';
import { Unreadable } from '../../token68.ts';
import { application, context, readAll, readFields, readInteger, readOnly, TAG } from './der.ts';

/** What a message of Kerberos (RFC 4120 §5) tells without a key. */
export type KerberosMessage =
  /** Whose ticket it is, is encrypted; for which service, is not. */
  | { readonly kind: 'AP-REQ'; readonly service: string; readonly encryption: string }
  | { readonly kind: 'AP-REP' }
  /** `text`: what the server says beside the code. */
  | { readonly kind: 'KRB-ERROR'; readonly code: number; readonly error: string; readonly text?: string };

/** RFC 4120 §5.10. */
const AP_REQ = application(14);
const AP_REP = application(15);
const KRB_ERROR = application(30);
const TICKET = application(1);

/** Of RFC 4120 §7.5.9, what a service says to a client, and what it hands on from the KDC. */
const ERRORS = new Map<number, string>([
  [6, 'KDC_ERR_C_PRINCIPAL_UNKNOWN: the client is not known'],
  [7, 'KDC_ERR_S_PRINCIPAL_UNKNOWN: the service is not known'],
  [31, 'KRB_AP_ERR_BAD_INTEGRITY: the service has another key'],
  [32, 'KRB_AP_ERR_TKT_EXPIRED: the ticket has ended'],
  [33, 'KRB_AP_ERR_TKT_NYV: the ticket is not valid yet'],
  [34, 'KRB_AP_ERR_REPEAT: the request was seen before'],
  [35, 'KRB_AP_ERR_NOT_US: the ticket is for another service'],
  [36, 'KRB_AP_ERR_BADMATCH: ticket and authenticator do not match'],
  [37, 'KRB_AP_ERR_SKEW: the clocks differ too much'],
  [39, 'KRB_AP_ERR_BADVERSION: another version of Kerberos'],
  [40, 'KRB_AP_ERR_MSG_TYPE: not the message that was expected'],
  [41, 'KRB_AP_ERR_MODIFIED: the service has another key, or the message was changed'],
  [44, 'KRB_AP_ERR_BADKEYVER: the service has no key of this version'],
  [45, 'KRB_AP_ERR_NOKEY: the service has no key'],
  [60, 'KRB_ERR_GENERIC: an error that has no code'],
]);

/** RFC 3961 §8, RFC 3962, RFC 4757, RFC 8009. */
const ENCRYPTIONS = new Map<number, string>([
  [3, 'des-cbc-md5'],
  [16, 'des3-cbc-sha1'],
  [17, 'aes128-cts-hmac-sha1-96'],
  [18, 'aes256-cts-hmac-sha1-96'],
  [19, 'aes128-cts-hmac-sha256-128'],
  [20, 'aes256-cts-hmac-sha384-192'],
  [23, 'rc4-hmac'],
]);

const shown = (bytes: Buffer): string => printable(bytes.toString('utf8'));

type Fields = ReadonlyMap<number, Buffer>;

function required(fields: Fields, number: number, name: string): Buffer {
  const field = fields.get(number);
  if (field === undefined) throw new Unreadable(`${name}: missing`);
  return field;
}

/** A KerberosString (RFC 4120 §5.2.1), which Windows writes in UTF-8. */
const kerberosString = (bytes: Buffer, name: string): string => shown(readOnly(bytes, TAG.generalString, name));

const integer = (bytes: Buffer, name: string): number => readInteger(readOnly(bytes, TAG.integer, name), name);

/** A PrincipalName (RFC 4120 §5.2.2): its parts, with slashes. */
function principalName(bytes: Buffer, name: string): string {
  const parts = readOnly(required(readFields(bytes, name), 1, name), TAG.sequence, name);
  return readAll(parts, name)
    .map(({ content }) => shown(content))
    .join('/');
}

/** RFC 4120 §5.5.1, §5.3, §5.2.9. */
function readRequest(content: Buffer): KerberosMessage {
  const ticket = readOnly(required(readFields(content, 'AP-REQ'), 3, 'ticket'), TICKET, 'ticket');
  const fields = readFields(ticket, 'ticket');
  const realm = kerberosString(required(fields, 1, 'realm'), 'realm');
  const service = principalName(required(fields, 2, 'service'), 'service');
  const encrypted = readFields(required(fields, 3, 'encrypted part'), 'encrypted part');
  const etype = integer(required(encrypted, 0, 'etype'), 'etype');
  return { kind: 'AP-REQ', service: `${service}@${realm}`, encryption: ENCRYPTIONS.get(etype) ?? `etype ${etype}` };
}

/** RFC 4120 §5.9.1. */
function readError(content: Buffer): KerberosMessage {
  const fields = readFields(content, 'KRB-ERROR');
  const code = integer(required(fields, 6, 'error-code'), 'error-code');
  const text = fields.get(11);
  return {
    kind: 'KRB-ERROR',
    code,
    error: ERRORS.get(code) ?? `error ${code}`,
    ...(text === undefined ? {} : { text: kerberosString(text, 'e-text') }),
  };
}

const READERS = new Map<number, (content: Buffer) => KerberosMessage>([
  [AP_REQ, readRequest],
  [AP_REP, () => ({ kind: 'AP-REP' })],
  [KRB_ERROR, readError],
]);

/** True where bytes begin as a message of Kerberos between client and service does. */
export const isKerberosMessage = (bytes: Buffer): boolean => READERS.has(bytes[0] ?? context(0));

/** Reads one message, without the frame of RFC 1964. Throws {@link Unreadable}. */
export function readKerberosMessage(bytes: Buffer): KerberosMessage {
  const [tag = 0] = bytes;
  const read = READERS.get(tag);
  if (read === undefined) throw new Unreadable('neither AP-REQ, AP-REP nor KRB-ERROR');
  return read(readOnly(bytes, tag, 'message of Kerberos'));
}
