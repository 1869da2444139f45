import type { Entropy } from '../../entropy.ts';
import type { ClientScheme, ClientTurn, Epilogue, MaybePromise, RequestFacts } from '../../scheme.ts';
import { refuse } from '../../scheme.ts';
import { Secret } from '../../secret.ts';
import { findQop } from './challenge.ts';
import type { Choice, Chosen } from './choice.ts';
import { choose } from './choice.ts';
import { encodeCredentials } from './credentials.ts';
import type { DigestAccount, Identity } from './identity.ts';
import { identities } from './identity.ts';
import { unusableUsername } from './name.ts';
import type { Proof } from './response.ts';
import { isSame, keyOf, responseOf, rspauthOf } from './response.ts';

export interface DigestClientOptions {
  /** Answer challenges without qop, which protect neither against replay nor chosen plaintext. Default false. */
  readonly rfc2069?: boolean;
}

export interface DigestClientPorts {
  readonly entropy: Entropy;
}

/** What lasts as long as a nonce. */
interface DigestSession {
  readonly choice: Choice;
  readonly cnonce: string;
  readonly name: Identity['name'];
  /** `H(A1)`. */
  readonly key: Secret;
}

export interface DigestState {
  readonly session: DigestSession;
  /** The count that went with the last credentials; 0: none have gone out with this nonce. */
  readonly nc: number;
  /** In this exchange no challenge has been answered yet. */
  readonly resumed: boolean;
  /** How often in this exchange the proxy has said `stale=true`. */
  readonly stale: number;
}

type Turn = ClientTurn<DigestState>;

/** Bytes, as many as curl has. */
const CNONCE_LENGTH = 32;
const MAX_COUNT = 0xffffffff;
/** A nonce may end while a request is on its way, and by chance twice. */
const MAX_STALE = 2;

/**
 * The client half of Digest (RFC 7616). After the first answer it needs no other: a nonce is used again, counted, until
 * the proxy gives a new one. A cnonce is made for each nonce and kept with it; for the `-sess` algorithms each nonce
 * begins a session, one of `nextnonce` too, since a verifier without tables cannot know the first one (RFC 7616 §3.4.2,
 * §3.6).
 *
 * | state    | 407                                    | turn                                           |
 * |----------|----------------------------------------|------------------------------------------------|
 * | none     | any                                    | answer the strongest challenge                 |
 * | any      | stale, another nonce, up to two times  | answer                                         |
 * | any      | stale, another nonce, the third time   | refuse unexpected-token                        |
 * | resumed  | another nonce                          | answer: a proxy that was restarted forgets     |
 * | resumed  | the same nonce                         | refuse rejected                                |
 * | answered | any other                              | refuse rejected                                |
 */
export function digestClient(
  account: DigestAccount,
  { rfc2069 = false }: DigestClientOptions,
  { entropy }: DigestClientPorts,
): ClientScheme<DigestState> {
  const problem = unusableUsername(account.username);
  const identityOf = identities(account);

  const begin = (choice: Choice): DigestSession => {
    const { challenge } = choice;
    const { name, ha1 } = identityOf(challenge);
    const cnonce = Buffer.from(entropy(CNONCE_LENGTH)).toString('base64');
    return { choice, cnonce, name, key: new Secret(keyOf(challenge.algorithm, ha1.reveal(), challenge.nonce, cnonce)) };
  };

  return {
    name: 'digest',
    binding: 'message',
    perishable: true,
    answer: (challenges, request, state) => {
      if (problem !== undefined) return refuse('unsupported', problem);
      const chosen = choose(challenges, rfc2069);
      const stale = (state?.stale ?? 0) + (isRenewed(chosen, state) && chosen.choice.challenge.stale ? 1 : 0);
      const refusal = state === undefined ? undefined : whyNotAgain(chosen, state, stale);
      if (refusal !== undefined) return refusal;
      if (!chosen.ok) return refuse(chosen.reason, chosen.why);
      return send({ session: begin(chosen.choice), nc: 1, resumed: false, stale }, request);
    },
    /** Refuses once the count is at its end: then the proxy must be asked for another nonce. */
    resume: (request, state) => {
      if (state.nc >= MAX_COUNT) return { turn: refuse('unsupported', 'the nonce has been used up'), next: state };
      const next: DigestState = { session: state.session, nc: state.nc + 1, resumed: true, stale: 0 };
      return { turn: send(next, request), next };
    },
    conclude: ({ info }, request, state) => {
      if (isForged(info, request, state)) {
        return { kind: 'impostor', detail: 'the rspauth of the proxy is wrong: it does not know the password' };
      }
      return { kind: 'trusted', state: renewed(info, state) };
    },
  };

  /** The state with the nonce that comes next (RFC 7616 §3.5); some name the one that is in use. */
  function renewed(info: Epilogue['info'], state: DigestState): DigestState {
    const { choice } = state.session;
    const nonce = info.get('nextnonce') ?? '';
    if (nonce === '' || nonce === choice.challenge.nonce) return state;
    const challenge = { ...choice.challenge, nonce, stale: false };
    return { session: begin({ ...choice, challenge }), nc: 0, resumed: false, stale: 0 };
  }
}

function isRenewed(chosen: Chosen, state: DigestState | undefined): chosen is Extract<Chosen, { ok: true }> {
  return chosen.ok && state !== undefined && chosen.choice.challenge.nonce !== state.session.choice.challenge.nonce;
}

/** Why credentials that have been refused are not sent again. `stale`: this time included. */
function whyNotAgain(chosen: Chosen, state: DigestState, stale: number): Turn | undefined {
  if (stale > MAX_STALE) return refuse('unexpected-token', 'the proxy calls every nonce stale');
  const again = stale > state.stale || (state.resumed && (isRenewed(chosen, state) || !chosen.ok));
  return again ? undefined : refuse('rejected', 'user name or password not accepted');
}

function send(state: DigestState, request: RequestFacts): MaybePromise<Turn> {
  const { choice } = state.session;
  if (choice.qop !== 'auth-int') return sent(state, request);
  if (request.content === undefined) return sent(state, request, new Uint8Array());
  return request.content().then((content) => {
    if (content !== undefined) return sent(state, request, content);
    return refuse(
      'unsupported',
      'the proxy asks for qop=auth-int, and the content is too large to be hashed beforehand',
    );
  });
}

function sent(state: DigestState, request: RequestFacts, content?: Uint8Array): Turn {
  const { name, choice } = state.session;
  const { realm, opaque, algorithmName } = choice.challenge;
  const proof = proofOf(state, request);
  const { nonce, uri, protection } = proof;
  const response = responseOf(proof, request.method, content);
  const credentials = encodeCredentials({
    name,
    realm,
    uri,
    algorithmName,
    nonce,
    response,
    ...(protection === undefined ? {} : { protection }),
    ...(opaque === undefined ? {} : { opaque }),
  });
  return { kind: 'send', credentials, state };
}

function proofOf({ session, nc }: DigestState, { target }: RequestFacts): Proof {
  const { choice, cnonce, key } = session;
  const { algorithm, nonce } = choice.challenge;
  const { qop } = choice;
  const count = nc.toString(16).padStart(8, '0');
  const protection = qop === undefined ? {} : { protection: { qop, nc: count, cnonce } };
  return { algorithm, key: key.reveal(), nonce, uri: target, ...protection };
}

/**
 * A proxy may leave `rspauth` out, but not give a wrong one (RFC 7616 §3.5). That of `auth-int` also covers the content of
 * the answer, which has not come yet: it is not checked.
 */
function isForged(info: Epilogue['info'], request: RequestFacts, state: DigestState): boolean {
  const given = info.get('rspauth');
  const { qop } = state.session.choice;
  if (given === undefined || qop !== 'auth' || findQop(info.get('qop') ?? qop) !== qop) return false;
  return !isSame(given.toLowerCase(), rspauthOf(proofOf(state, request)));
}
