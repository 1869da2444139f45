import { printable } from '../../controls.ts';
import { MASK } from '../../secret.ts';
import type { AvPair } from './av-pairs.ts';
import { AV_ID, announcesMic, decodeAvPairs } from './av-pairs.ts';
import { decodeNtlmv2Response, showFileTime } from './client-challenge.ts';
import { flagNames } from './flags.ts';
import type { AuthenticateMessage, ChallengeMessage, NtlmMessage } from './wire.ts';
import { decodeToken } from './wire.ts';

type Show = (value: Uint8Array) => string;

const text: Show = (value) => printable(Buffer.from(value).toString('utf16le'));
const hex: Show = (value) => Buffer.from(value).toString('hex');

/** What AV pairs are called here, and how their values are shown. Those of a Single_Host_Data are not: they are its own. */
const AV_FIELDS = new Map<number, readonly [string, Show]>([
  [AV_ID.NbComputerName, ['NetBIOS computer', text]],
  [AV_ID.NbDomainName, ['NetBIOS domain', text]],
  [AV_ID.DnsComputerName, ['DNS computer', text]],
  [AV_ID.DnsDomainName, ['DNS domain', text]],
  [AV_ID.DnsTreeName, ['DNS tree', text]],
  [AV_ID.Flags, ['AV flags', (value) => `0x${hex(Buffer.from(value).reverse())}`]],
  [AV_ID.Timestamp, ['server time', showFileTime]],
  [AV_ID.SingleHost, ['single host', (value) => `${value.length} bytes`]],
  [AV_ID.TargetName, ['service', text]],
  [AV_ID.ChannelBindings, ['channel bindings', (value) => (value.every((byte) => byte === 0) ? 'none' : hex(value))]],
]);

function describePairs(pairs: readonly AvPair[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map(({ id, value }) => {
      const [name, show] = AV_FIELDS.get(id) ?? [`AV pair ${id}`, hex];
      return [name, show(value)];
    }),
  );
}

function describeChallenge({ targetName, targetInfo }: ChallengeMessage): Record<string, string> {
  const shown = { 'target name': printable(targetName) };
  if (targetInfo === undefined) return { ...shown, 'target info': 'none' };
  const decoded = decodeAvPairs(targetInfo);
  return { ...shown, ...(decoded.ok ? describePairs(decoded.pairs) : { malformed: decoded.why }) };
}

function describeAuthenticate(message: AuthenticateMessage): Record<string, string> {
  const { user, domain, workstation, lmResponse, ntResponse, sessionKey } = message;
  return {
    user: printable(user),
    domain: printable(domain),
    workstation: printable(workstation),
    ...(lmResponse.length === 0 ? {} : { 'LM response': MASK }),
    ...(ntResponse.length === 0 ? {} : { 'NT response': MASK }),
    ...(sessionKey.length === 0 ? {} : { 'session key': MASK }),
    ...describeResponse(message),
  };
}

/** The kind of response and what an NTLMv2 one tells beside its proof. */
function describeResponse({ ntResponse, lmResponse, mic }: AuthenticateMessage): Record<string, string> {
  if (ntResponse.length === 0) return { response: lmResponse.length === 0 ? 'anonymous' : 'LM' };
  if (ntResponse.length === 24) return { response: 'NTLMv1' };
  const decoded = decodeNtlmv2Response(ntResponse);
  if (!decoded.ok) return { malformed: decoded.why };
  const { timestamp, pairs } = decoded.response.challenge;
  const signed = announcesMic(pairs) ? (mic === undefined ? 'announced, but missing' : 'present') : 'absent';
  return { response: 'NTLMv2', MIC: signed, 'client time': showFileTime(timestamp), ...describePairs(pairs) };
}

function describeMessage(message: NtlmMessage): Record<string, string> {
  const flags = flagNames(message.flags).join(' ');
  switch (message.type) {
    case 1:
      return {
        message: 'NEGOTIATE (type 1)',
        flags,
        domain: printable(message.domain),
        workstation: printable(message.workstation),
      };
    case 2:
      return { message: 'CHALLENGE (type 2)', flags, ...describeChallenge(message) };
    case 3:
      return { message: 'AUTHENTICATE (type 3)', flags, ...describeAuthenticate(message) };
  }
}

/**
 * A token of NTLM for people, of either direction. Neither responses nor what they were computed with are shown: who has
 * these can look for the password at leisure. Never throws.
 */
export function describeNtlm(token68: string): Record<string, string> {
  const decoded = decodeToken(token68);
  return decoded.ok ? describeMessage(decoded.message) : { malformed: decoded.why };
}
