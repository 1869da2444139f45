import type { MechanismToken, NegotiateToken } from './wire.ts';
import { decodeNegotiateToken, mechanismName } from './wire.ts';

type Fields = Readonly<Record<string, string>>;
type DescribeNtlm = (token68: string) => Fields;

function describeMechanismToken(token: MechanismToken, describeNtlm: DescribeNtlm): Fields {
  switch (token.kind) {
    case 'ntlm':
      return { mechanism: 'NTLMSSP', ...describeNtlm(token.bytes.toString('base64')) };
    case 'other':
      return token.mechanism === undefined ? {} : { mechanism: mechanismName(token.mechanism) };
    case 'kerberos': {
      const { kind, ...told } = token.message;
      const fields = Object.entries(told).filter(([name]) => name !== 'code');
      return { mechanism: 'Kerberos', message: kind, ...Object.fromEntries(fields) };
    }
  }
}

function describeToken(token: NegotiateToken, describeNtlm: DescribeNtlm): Fields {
  if (token.kind === 'NegTokenInit') {
    return {
      SPNEGO: token.kind,
      mechanisms: token.mechTypes.map(mechanismName).join(', '),
      ...(token.mechToken === undefined ? {} : describeMechanismToken(token.mechToken, describeNtlm)),
    };
  }
  if (token.kind === 'NegTokenResp') {
    const { negState, supportedMech, responseToken } = token;
    return {
      SPNEGO: token.kind,
      ...(negState === undefined ? {} : { state: negState }),
      ...(supportedMech === undefined ? {} : { mechanism: mechanismName(supportedMech) }),
      ...(responseToken === undefined ? {} : describeMechanismToken(responseToken, describeNtlm)),
    };
  }
  return describeMechanismToken(token, describeNtlm);
}

/**
 * A token of Negotiate for people, of either direction. Tickets and their proofs are not shown: for some minutes who has
 * them can be the user. `describeNtlm` shows a message of NTLM, which Windows carries under this scheme. Never throws.
 */
export function describeNegotiate(token68: string, describeNtlm: DescribeNtlm): Record<string, string> {
  const decoded = decodeNegotiateToken(token68);
  return decoded.ok ? { ...describeToken(decoded.token, describeNtlm) } : { malformed: decoded.why };
}
