import type { KerberosMessage } from './kerberos-message.ts';
import type { MechanismToken } from './wire.ts';
import { decodeNegotiateToken, mechanismName } from './wire.ts';

/** What a token of the proxy is for its client, as far as can be told without the keys. */
export type Reply =
  /** For GSS-API to judge. */
  | { readonly kind: 'for-gss' }
  /** Agrees, and proves nothing: `accept-completed` and no more. */
  | { readonly kind: 'unproven' }
  | { readonly kind: 'refusal'; readonly detail: string }
  | { readonly kind: 'unsupported'; readonly detail: string }
  /** Cannot be what the proxy has to say now. */
  | { readonly kind: 'useless'; readonly detail: string };

const explain = ({ error, text }: Extract<KerberosMessage, { kind: 'KRB-ERROR' }>): string =>
  text === undefined || text === '' ? error : `${error} (${text})`;

function ofMechanism(token: MechanismToken): Reply {
  if (token.kind === 'ntlm') return { kind: 'unsupported', detail: 'the proxy wants NTLM inside of Negotiate' };
  if (token.kind === 'other') {
    const name = token.mechanism === undefined ? 'a mechanism unknown here' : mechanismName(token.mechanism);
    return { kind: 'unsupported', detail: `the proxy wants ${name}` };
  }
  const { message } = token;
  if (message.kind === 'KRB-ERROR') return { kind: 'refusal', detail: explain(message) };
  if (message.kind === 'AP-REQ') return { kind: 'useless', detail: 'a ticket, which is for the client to send' };
  return { kind: 'for-gss' };
}

/** Reads the token of a 407, or of what ended the exchange. */
export function readReply(token68: string): Reply {
  const decoded = decodeNegotiateToken(token68);
  if (!decoded.ok) return { kind: 'useless', detail: decoded.why };
  const { token } = decoded;
  if (token.kind === 'NegTokenInit') {
    return { kind: 'useless', detail: 'a NegTokenInit, which is for the client to send' };
  }
  if (token.kind !== 'NegTokenResp') return ofMechanism(token);
  const { negState, supportedMech, responseToken } = token;
  const inner = responseToken === undefined ? undefined : ofMechanism(responseToken);
  if (inner?.kind === 'refusal') return inner;
  if (negState === 'reject') return { kind: 'refusal', detail: 'SPNEGO: reject' };
  if (inner !== undefined) return inner;
  if (negState === 'accept-completed') return { kind: 'unproven' };
  return mechanismName(supportedMech ?? '') === 'NTLMSSP'
    ? { kind: 'unsupported', detail: 'the proxy wants NTLM inside of Negotiate' }
    : { kind: 'for-gss' };
}
