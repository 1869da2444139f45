import { expect, test } from '@jest/globals';
import { readObjectIdentifier, readOnly, TAG } from '../src/schemes/negotiate/der.ts';
import { describeNegotiate } from '../src/schemes/negotiate/describe.ts';
import { decodeNegotiateToken, mechanismName } from '../src/schemes/negotiate/wire.ts';
import { base64, field, sequence } from './negotiate-tokens.ts';
import { describePublished } from './published.ts';

interface SpnegoRow {
  readonly id: string;
  readonly hex: string;
  readonly base64?: string;
}

const KRB5 = '1.2.840.113554.1.2.2';
const NTLMSSP = '1.3.6.1.4.1.311.2.2.10';
const REQUEST = {
  mechanism: 'Kerberos',
  message: 'AP-REQ',
  service: 'host/dc01@DOMAIN.LOCAL',
  encryption: 'aes256-cts-hmac-sha1-96',
};
const REPLY = { mechanism: 'Kerberos', message: 'AP-REP' };

/** What their tokens say, by what their own tests expect of them. */
const TOKENS = new Map<string, Record<string, string>>([
  ['pyspnego-initial_context_token_krb_ap_rep', REPLY],
  ['pyspnego-initial_context_token_krb_ap_req', REQUEST],
  [
    'pyspnego-initial_context_token_neg_token_init',
    { SPNEGO: 'NegTokenInit', mechanisms: 'Kerberos, NTLMSSP', ...REQUEST },
  ],
  [
    'pyspnego-initial_context_token_neg_token_init2',
    { SPNEGO: 'NegTokenInit', mechanisms: 'NegoEx, MS-Kerberos, Kerberos, Kerberos user-to-user, NTLMSSP' },
  ],
  ['pyspnego-neg_token_resp', { SPNEGO: 'NegTokenResp', state: 'accept-completed', ...REPLY }],
]);

const MECH_TYPES = new Map<string, readonly string[]>([
  ['mechTypes-krb5', [KRB5]],
  ['mechTypes-krb5-ntlm', [KRB5, NTLMSSP]],
]);

/** What the published name of a mechanism is here. */
const NAMES = new Map([
  ['SPNEGO', 'SPNEGO'],
  ['krb5', 'Kerberos'],
  ['MS krb5', 'MS-Kerberos'],
  ['NTLMSSP', 'NTLMSSP'],
  ['NEGOEX', 'NegoEx'],
]);

function readAsPublished({ id, hex, base64: published }: SpnegoRow): void {
  const bytes = Buffer.from(hex, 'hex');
  const fields = TOKENS.get(id);
  const mechTypes = MECH_TYPES.get(id);
  const [, oid = '', name = ''] = /^oid ([0-9.]+) (.+)$/.exec(id) ?? [];
  if (fields !== undefined) {
    expect(base64(bytes)).toBe(published);
    expect(describeNegotiate(base64(bytes), () => ({}))).toEqual(fields);
    const cut = Array.from(bytes, (_, length) => decodeNegotiateToken(base64(bytes.subarray(0, length))).ok);
    expect(cut).not.toContain(true);
  } else if (mechTypes !== undefined) {
    const init = field(0, sequence(field(0, bytes)));
    expect(decodeNegotiateToken(base64(init))).toMatchObject({ token: { mechTypes } });
  } else {
    expect(readObjectIdentifier(readOnly(bytes, TAG.objectIdentifier, id))).toBe(oid);
    expect(mechanismName(oid)).toBe(NAMES.get(name));
  }
}

describePublished('tokens of Negotiate', ({ spnego }: { readonly spnego: readonly SpnegoRow[] }) => {
  test.each([...spnego])('$id', readAsPublished);

  test('every token that is known here is there', () => {
    expect(spnego.map(({ id }) => id)).toEqual(expect.arrayContaining([...TOKENS.keys(), ...MECH_TYPES.keys()]));
  });
});
