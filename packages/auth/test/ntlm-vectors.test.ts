import { describe, expect, test } from '@jest/globals';
import { withToken } from '../src/message.ts';
import type { VerifierTurn } from '../src/scheme.ts';
import { decodeAvPairs } from '../src/schemes/ntlm/av-pairs.ts';
import { ntlmClient } from '../src/schemes/ntlm/client.ts';
import { decodeNtlmv2Response, encodeClientChallenge } from '../src/schemes/ntlm/client-challenge.ts';
import { lmv2Response, md4, ntHash, ntProof, responseKey, sessionBaseKey } from '../src/schemes/ntlm/crypto.ts';
import { describeNtlm } from '../src/schemes/ntlm/describe.ts';
import { flagsOf } from '../src/schemes/ntlm/flags.ts';
import type { NtlmVerifierState } from '../src/schemes/ntlm/verifier.ts';
import { ntlmVerifier } from '../src/schemes/ntlm/verifier.ts';
import type { AuthenticateMessage } from '../src/schemes/ntlm/wire.ts';
import { decodeToken, encodeMessage } from '../src/schemes/ntlm/wire.ts';
import { Secret } from '../src/secret.ts';
import { ports, REQUEST } from './ntlm-parties.ts';
import { describePublished } from './published.ts';

interface PrimitiveRow {
  readonly id: string;
  readonly value: string;
  /** All but `input` (text), names and password in hexadecimal digits. */
  readonly [field: string]: unknown;
}

interface MessageRow {
  readonly id: string;
  readonly hex: string;
  readonly base64: string;
  readonly type: number;
  readonly flags?: string;
  readonly targetName?: string;
  readonly serverChallenge?: string;
  readonly targetInfo?: string | null;
  readonly user?: string;
  readonly domain?: string;
  readonly workstation?: string;
  readonly password?: string;
  readonly mic?: string;
  readonly negotiateRef?: string;
  readonly challengeRef?: string;
  /** Of the function that wrote it: `…, workstation, …, domain`, each empty where it is `""`. */
  readonly args?: string;
}

interface ConversationRow {
  readonly id: string;
  readonly type1: string;
  readonly type2: string;
  readonly type3: string;
  readonly user: string;
  readonly domain: string;
  readonly workstation: string;
  readonly password: string;
  readonly variant: string;
}

interface Vectors {
  readonly ntlmPrimitives: readonly PrimitiveRow[];
  readonly ntlmMessages: readonly MessageRow[];
  readonly ntlmConversations: readonly ConversationRow[];
}

const bytes = (hex: unknown): Buffer => Buffer.from(String(hex), 'hex');
const base64 = (message: AuthenticateMessage): string => encodeMessage(message).toString('base64');

/** MS-NLMP §4.2.1, for rows that do not repeat them. */
const SERVER_CHALLENGE = '0123456789abcdef';
const CLIENT_CHALLENGE = 'aaaaaaaaaaaaaaaa';

interface Login {
  readonly user: string;
  readonly domain: string;
  readonly password: string;
}

/** What the verifier that knows this user says to a type 3. `oemNames`, since curl has no others. */
function judge(login: Login, state: NtlmVerifierState, token68: string): VerifierTurn<NtlmVerifierState> {
  const verifier = ntlmVerifier(
    { target: { domain: 'D', computer: 'C' }, oemNames: true },
    {
      ...ports(),
      findAccount: (domain, user) =>
        domain === login.domain && user === login.user
          ? { principal: { name: user }, ntHash: ntHash(new Secret(login.password)) }
          : undefined,
    },
  );
  return verifier.judge(withToken('ntlm', token68), REQUEST, state) as VerifierTurn<NtlmVerifierState>;
}

/** What a verifier remembers that has said this type 2 to this type 1. */
function stateAfter(negotiate: Buffer, challenge: Buffer): NtlmVerifierState {
  return { negotiate, challenge, serverChallenge: challenge.subarray(24, 32) };
}

const TYPE_THREE: AuthenticateMessage = {
  type: 3,
  flags: flagsOf('NEGOTIATE_UNICODE'),
  domain: 'Domain',
  user: 'User',
  workstation: '',
  lmResponse: Buffer.alloc(0),
  ntResponse: Buffer.alloc(0),
  sessionKey: Buffer.alloc(0),
};

type Use = (row: PrimitiveRow, others: ReadonlyMap<string, PrimitiveRow>) => void;

const loginOf = ({ user, domain, password }: PrimitiveRow): Login => ({
  user: String(user ?? 'User'),
  domain: String(domain ?? 'Domain'),
  password: String(password ?? 'Password'),
});

function keyOf(row: PrimitiveRow): Buffer {
  const { user, domain, password } = loginOf(row);
  return responseKey(ntHash(new Secret(password)), user, domain);
}

function tempOf({ targetInfo, time, clientChallenge = CLIENT_CHALLENGE }: PrimitiveRow): Buffer {
  const decoded = decodeAvPairs(bytes(targetInfo));
  if (!decoded.ok) throw new Error(decoded.why);
  return encodeClientChallenge({ timestamp: bytes(time), nonce: bytes(clientChallenge), pairs: decoded.pairs });
}

const is =
  (compute: (row: PrimitiveRow, others: ReadonlyMap<string, PrimitiveRow>) => Uint8Array | string): Use =>
  (row, others) => {
    const value = compute(row, others);
    expect(typeof value === 'string' ? value : Buffer.from(value).toString('hex')).toBe(row.value);
  };

/** A response that the verifier must not take, though user and password are right. */
const refusedAs =
  (field: 'ntResponse' | 'lmResponse', log: string): Use =>
  (row) => {
    const login = loginOf(row);
    const challenge = bytes(row.serverChallenge ?? SERVER_CHALLENGE);
    const state = { negotiate: Buffer.alloc(0), challenge: Buffer.alloc(0), serverChallenge: challenge };
    const { user, domain } = login;
    expect(judge(login, state, base64({ ...TYPE_THREE, user, domain, [field]: bytes(row.value) }))).toEqual({
      kind: 'reject',
      user,
      log,
      why: log,
    });
  };

const proofIn =
  (id: string): Use =>
  (row, others) => {
    const proof = others.get(id)?.value ?? 'no such row';
    is(() => sessionBaseKey(keyOf(row), bytes(proof)))(row, others);
  };

const V1 = refusedAs('ntResponse', 'NTLMv1 response: only NTLMv2 is taken');
const LM = refusedAs('lmResponse', 'LM response: only NTLMv2 is taken');
const NT_HASH = is((row) => ntHash(new Secret(loginOf(row).password)).reveal());
const MD4 = is(({ input }) => md4(Buffer.from(String(input))));
const NTOWFV2 = is(keyOf);
const LMV2 = is((row) => lmv2Response(keyOf(row), bytes(row.serverChallenge), bytes(row.clientChallenge)));

const USES = new Map<string, Use>([
  ['msnlmp-ntowfv1', NT_HASH],
  ['davenport-nthash', NT_HASH],
  ['msnlmp-v1-session-base-key', is((row) => md4(bytes(ntHash(new Secret(loginOf(row).password)).reveal())))],
  ['msnlmp-v1-nt-response', V1],
  ['msnlmp-v1ess-nt-response', V1],
  ['davenport-ntlm-response', V1],
  ['davenport-ntlm2-session-response', V1],
  ['msnlmp-v1-lm-response', LM],
  ['msnlmp-v1ess-lm-response', LM],
  ['davenport-lm-response', LM],
  ['msnlmp-ntowfv2', NTOWFV2],
  ['davenport-ntlmv2-hash', NTOWFV2],
  ['msnlmp-v2-temp', is(tempOf)],
  ['msnlmp-v2-ntproof', is((row) => ntProof(keyOf(row), bytes(row.serverChallenge), bytes(row.temp)))],
  ['davenport-ntlmv2-proof', is((row) => ntProof(keyOf(row), bytes(row.serverChallenge), bytes(row.blob)))],
  ['epa-mic-ntproof', is((row) => ntProof(keyOf(row), bytes(SERVER_CHALLENGE), tempOf(row)))],
  ['msnlmp-v2-session-base-key', proofIn('msnlmp-v2-ntproof')],
  ['epa-mic-session-base-key', proofIn('epa-mic-ntproof')],
  ['msnlmp-v2-lmv2-response', LMV2],
  ['davenport-lmv2-response', LMV2],
  ...Array.from({ length: 7 }, (_unused, index) => [`rfc1320-md4-${index}`, MD4] as const),
]);

const KEY_EXCHANGE = 'KEY_EXCH is never asked for: HTTP has nothing that its key would protect';

/** What nobody here computes, and why. */
const NOT_SPOKEN = new Map([
  ['msnlmp-lmowfv1', 'of the responses of LAN Manager none is sent or taken'],
  ['msnlmp-v1ess-key-exchange-key', KEY_EXCHANGE],
  ['msnlmp-v1-encrypted-session-key', KEY_EXCHANGE],
  ['msnlmp-v2-encrypted-session-key', KEY_EXCHANGE],
  ['rc4-httpclient', 'RC4 encrypts the key of KEY_EXCH, and what it protects'],
  ['epa-channel-binding-hash', 'there is no TLS session that both sides would hash alike'],
]);

/** What a row says of its message, as {@link decodeToken} would have it. */
function expected(row: MessageRow): Record<string, unknown> {
  const { type, flags, targetName, serverChallenge, targetInfo, user, domain, workstation, mic, args } = row;
  const [, theirWorkstation, , theirDomain] = args?.split(', ') ?? [];
  return {
    type,
    ...(flags === undefined ? {} : { flags: Number(flags) }),
    ...(targetName === undefined ? {} : { targetName }),
    ...(serverChallenge === undefined ? {} : { serverChallenge: bytes(serverChallenge) }),
    ...(typeof targetInfo === 'string' ? { targetInfo: bytes(targetInfo) } : {}),
    ...(user === undefined ? {} : { user, domain, workstation }),
    ...(mic === undefined ? {} : { mic: bytes(mic) }),
    ...(args === undefined
      ? {}
      : {
          workstation: theirWorkstation === 'workstation' ? 'MYPC' : '',
          domain: theirDomain === 'domain' ? 'MYDOMAIN' : '',
        }),
  };
}

function messageRow(row: MessageRow, others: ReadonlyMap<string, MessageRow>): void {
  const decoded = decodeToken(row.base64);
  if (!decoded.ok) throw new Error(decoded.why);
  const { message } = decoded;
  expect(Buffer.from(decoded.bytes).toString('hex')).toBe(row.hex);
  expect(message).toMatchObject(expected(row));
  if (row.targetInfo === null) expect(message).not.toHaveProperty('targetInfo');
  // In an order of our own, but the same message.
  expect(decodeToken(encodeMessage(message).toString('base64'))).toMatchObject({ ok: true, message });
  expect(describeNtlm(row.base64).message).toMatch(`(type ${row.type})`);

  const { user, domain, password, negotiateRef, challengeRef } = row;
  if (user === undefined || domain === undefined || password === undefined) return;
  const [negotiate, challenge] = [negotiateRef, challengeRef].map((id) => bytes(others.get(id ?? '')?.hex ?? ''));
  if (negotiate === undefined || challenge === undefined) throw new Error('a response without what it answers');
  expect(judge({ user, domain, password }, stateAfter(negotiate, challenge), row.base64)).toEqual({
    kind: 'accept',
    principal: { name: user },
  });
}

/** What NTLMv2 clients of others have sent, and servers of others have taken. */
function ntlmv2(row: ConversationRow): void {
  const [negotiate, challenge] = [row.type1, row.type2].map((token) => Buffer.from(token, 'base64'));
  if (negotiate === undefined || challenge === undefined) throw new Error('no row');
  const state = stateAfter(negotiate, challenge);
  expect(judge(row, state, row.type3)).toEqual({ kind: 'accept', principal: { name: row.user } });
  expect(judge({ ...row, password: `${row.password}x` }, state, row.type3)).toMatchObject({ kind: 'reject' });

  const decoded = decodeToken(row.type3);
  if (!decoded.ok || decoded.message.type !== 3) throw new Error('no type 3');
  const response = decodeNtlmv2Response(decoded.message.ntResponse);
  if (!response.ok) throw new Error(response.why);
  const key = responseKey(ntHash(new Secret(row.password)), row.user, row.domain);
  const { temp, proof } = response.response;
  expect(ntProof(key, state.serverChallenge, temp)).toEqual(Buffer.from(proof));
}

/** Nobody here sends or takes such a one. */
function ntlmv1(row: ConversationRow): void {
  const client = ntlmClient({ username: row.user, secret: { password: new Secret(row.password) } }, ports());
  expect(client.answer([withToken('ntlm', row.type2)], REQUEST, 'negotiated')).toMatchObject({
    kind: 'refuse',
    reason: 'unsupported',
  });
  const [negotiate, challenge] = [row.type1, row.type2].map((token) => Buffer.from(token, 'base64'));
  if (negotiate === undefined || challenge === undefined) throw new Error('no row');
  expect(judge(row, stateAfter(negotiate, challenge), row.type3)).toEqual({
    kind: 'reject',
    user: row.user,
    log: 'NTLMv1 response: only NTLMv2 is taken',
    why: 'NTLMv1 response: only NTLMv2 is taken',
  });
}

const VARIANTS = new Map([
  ['NTLMv1', ntlmv1],
  ['NTLMv2', ntlmv2],
]);

describePublished('vectors of NTLM', ({ ntlmPrimitives, ntlmMessages, ntlmConversations }: Vectors) => {
  const byId = <R extends { readonly id: string }>(rows: readonly R[]) => new Map(rows.map((row) => [row.id, row]));

  describe('primitives', () => {
    test.each(ntlmPrimitives.filter(({ id }) => !NOT_SPOKEN.has(id)))('$id', (row) => {
      const use = USES.get(row.id);
      if (use === undefined) throw new Error('no use for this row');
      use(row, byId(ntlmPrimitives));
    });

    test.each([...NOT_SPOKEN])('%s is not spoken: %s', (id) => {
      expect(byId(ntlmPrimitives).has(id)).toBe(true);
    });
  });

  describe('messages are read, written and shown', () => {
    test.each(ntlmMessages)('$id', (row) => messageRow(row, byId(ntlmMessages)));
  });

  describe('conversations', () => {
    test.each(ntlmConversations)('$id ($variant)', (row) => {
      const { user, domain, workstation, variant } = row;
      expect(describeNtlm(row.type3)).toMatchObject({ user, domain, workstation, response: variant });
      const follow = VARIANTS.get(variant);
      if (follow === undefined) throw new Error('no use for this variant');
      follow(row);
    });

    test('our client computes what Chromium sent, to the byte', () => {
      const row = ntlmConversations.find(({ id }) => id.startsWith('recorded-chromium'));
      const theirs = decodeToken(row?.type3 ?? '');
      if (row === undefined || !theirs.ok || theirs.message.type !== 3) throw new Error('no such row');
      const peerHost = describeNtlm(row.type3).service?.replace('HTTP/', '') ?? '';
      // The response of NTLMv2: proof (16), versions and time (16), nonce (8).
      const nonce = theirs.message.ntResponse.subarray(32, 40);
      const client = ntlmClient(
        { username: row.user, domain: row.domain, secret: { password: new Secret(row.password) } },
        { entropy: () => nonce, clock: () => 0 },
      );
      const turn = client.answer([withToken('ntlm', row.type2)], { ...REQUEST, peerHost }, 'negotiated');
      const ours = decodeToken('kind' in turn && turn.kind === 'send' ? (turn.credentials.token68 ?? '') : '');
      expect(ours).toMatchObject({
        message: { ntResponse: theirs.message.ntResponse, lmResponse: theirs.message.lmResponse },
      });
    });
  });
});
