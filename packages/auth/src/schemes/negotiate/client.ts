import { AuthError } from '../../errors.ts';
import { tokenOf, withToken } from '../../message.ts';
import type { ClientRequestFacts, ClientScheme, ClientTurn, Conclusion, MaybePromise } from '../../scheme.ts';
import { refuse } from '../../scheme.ts';
import { readReply } from './reply.ts';
import { unusableSpn } from './spn.ts';

/**
 * What a step of GSS-API gives. `token`: base64, empty where there is nothing to send. `complete`: the context is
 * established, the peer has proved itself where that was asked for. `why`: what GSS said, and the remedy.
 */
export type SecurityStep =
  | { readonly ok: true; readonly token: string; readonly complete: boolean }
  | { readonly ok: false; readonly why: string };

/** The initiator's side of a security context (RFC 2743 §2.2.1). */
export interface SecurityContext {
  /** `token`: base64 of what the peer sent, empty at first. One at a time. Never rejects. */
  step(token: string): MaybePromise<SecurityStep>;
}

export interface NegotiateClientPorts {
  /**
   * A new context with a service, named `service/host` (`HTTP/proxy.corp.example`). Mutual authentication is asked for,
   * delegation is not. What is wrong, the first step says. Never rejects.
   */
  initiate(spn: string): MaybePromise<SecurityContext>;
}

export interface NegotiateOptions {
  /** `service/host`. Default: `HTTP/` and the name of the proxy that is asked, as configured. */
  readonly spn?: string;
  /** A proxy that does not prove itself is an impostor. Default false, as Squid and others prove nothing. */
  readonly mutual?: boolean;
}

/** `context`: the one that the last token came from; absent once the exchange is over. */
export interface NegotiateClientState {
  readonly context?: SecurityContext;
  readonly complete: boolean;
}

type Turn = ClientTurn<NegotiateClientState>;
type Heard = Conclusion<NegotiateClientState>;

const OVER: NegotiateClientState = { complete: true };
const TRUSTED: Heard = { kind: 'trusted', state: OVER };

const impostor = (detail: string): Heard => ({ kind: 'impostor', detail });

/**
 * The client half of Negotiate (RFC 4559, RFC 4178) with what GSS-API has, which is Kerberos. Its first token proves the
 * user already: a bare challenge after it is a rejection. A context is of one connection, so each gets one of its own.
 *
 * What the proxy sends is read here before GSS-API gets it. An account without Kerberos can speak NTLM under this name
 * (`ntlmClient` with the name `negotiate`), as Windows proxies take it (MS-NTHT). Throws {@link AuthError} for an `spn` that is none.
 */
export function negotiateClient(
  { initiate }: NegotiateClientPorts,
  { spn, mutual = false }: NegotiateOptions = {},
): ClientScheme<NegotiateClientState> {
  const unusable = spn === undefined ? undefined : unusableSpn(spn);
  if (unusable !== undefined) throw new AuthError('ERR_AUTH_INVALID_VALUE', `Negotiate: ${unusable}`);

  async function begin({ peerHost }: ClientRequestFacts): Promise<Turn> {
    const service = spn ?? `HTTP/${peerHost}`;
    const context = await initiate(service);
    const step = await context.step('');
    if (!step.ok) return refuse('unsupported', `no token for ${service}: ${step.why}`);
    if (step.token === '') return refuse('unsupported', `GSS-API made no token for ${service}`);
    return send(context, step);
  }

  async function goOn(token68: string, { context, complete }: NegotiateClientState): Promise<Turn> {
    const reply = readReply(token68);
    if (reply.kind === 'refusal') return refuse('rejected', reply.detail);
    if (reply.kind === 'unsupported') return refuse('unsupported', reply.detail);
    if (reply.kind === 'useless') return refuse('unexpected-token', `the token of the proxy: ${reply.detail}`);
    if (context === undefined || complete || reply.kind === 'unproven') {
      return refuse('rejected', 'the proxy asks again, though the negotiation is over');
    }
    const step = await context.step(token68);
    if (!step.ok) return refuse('unexpected-token', `the token of the proxy does not go on: ${step.why}`);
    return step.token === '' ? refuse('rejected', 'nothing is left to be sent') : send(context, step);
  }

  async function verify(token68: string, context: SecurityContext): Promise<Heard> {
    const reply = readReply(token68);
    if (reply.kind === 'unproven' && !mutual) return TRUSTED;
    if (reply.kind !== 'for-gss') {
      return impostor(`it did not prove itself: ${'detail' in reply ? reply.detail : 'its token has no proof'}`);
    }
    const step = await context.step(token68);
    if (!step.ok) return impostor(`its proof does not hold: ${step.why}`);
    return step.complete ? TRUSTED : impostor('its proof is not whole');
  }

  return {
    name: 'negotiate',
    binding: 'connection',
    // A ticket ends, and the key of a service changes.
    perishable: true,
    resume: (request, state) => ({ turn: begin(request), next: state }),
    answer: (challenges, request, state) => {
      const token68 = tokenOf(challenges);
      if (state !== undefined) {
        return token68 === undefined ? refuse('rejected', 'the ticket was not accepted') : goOn(token68, state);
      }
      if (token68 === undefined) return begin(request);
      return refuse('unexpected-token', 'the proxy opened Negotiate with a token: the first is for the client to send');
    },
    conclude: ({ challenges }, _request, { context, complete }) => {
      // Proved in an earlier leg, or in an earlier exchange on this connection.
      if (complete || context === undefined) return TRUSTED;
      const token68 = tokenOf(challenges);
      if (token68 !== undefined) return verify(token68, context);
      return mutual ? impostor('it did not prove itself, which `mutual` asks for') : TRUSTED;
    },
  };
}

function send(context: SecurityContext, { token, complete }: Extract<SecurityStep, { ok: true }>): Turn {
  return { kind: 'send', credentials: withToken('negotiate', token), state: { context, complete } };
}
