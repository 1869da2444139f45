import type { VerifierScheme, VerifierTurn } from '@chain407/auth';
import { withParams, withToken } from '@chain407/auth';
import type { HelperPool } from './helper-pool.ts';
import type { HelperAnswer } from './helper-process.ts';
import type { HelperReply } from './replies.ts';
import { note, reasonOf } from './replies.ts';
import { isBase64, tokenRequest } from './requests.ts';
import type { Reservation } from './reservation.ts';
import { userOf } from './user-of.ts';

type Name = 'ntlm' | 'negotiate';
type Turn = VerifierTurn<Reservation>;

/** The base64 of `NTLMSSP\0` and the number of the message (MS-NLMP §2.2.1), 1 and 3. */
const NTLM_TYPE_1 = 'TlRMTVNTUAABAAAA';
const NTLM_TYPE_3 = 'TlRMTVNTUAADAAAA';
/** What helpers write where there is no token, because their grammar wants a word. */
const NO_TOKEN: ReadonlySet<string> = new Set(['*', '=', 'AA==']);
/**
 * `negotiate_kerberos_auth` knows no ERR. In these words it judges the token and not itself: a client may go on to
 * another scheme, as one of Windows must that has no ticket and sends NTLM in Negotiate.
 */
const NO_SAID_AS_BH =
  /^(?:gss_accept_sec_context\(\) failed|received type \d NTLM token|Invalid negotiate request token)/;

/**
 * The verifier half of NTLM or Negotiate where a helper program does all of it (Samba's `ntlm_auth`,
 * `negotiate_kerberos_auth`). The state of a handshake is the program that knows its first legs.
 */
export function helperHandshake(name: Name, pool: HelperPool): VerifierScheme<Reservation> {
  const challenge = withParams(name);
  return {
    name,
    binding: 'connection',
    offer: () => [challenge],
    judge: async ({ token68 = '' }, _request, state) => {
      const turn = isBase64(token68) ? await nextLeg(name, pool, token68, state) : notBase64(name);
      if (turn.kind !== 'continue') state?.release();
      return turn;
    },
    abandon: (state) => state.release(),
  };
}

const notBase64 = (name: Name): Turn => ({ kind: 'malformed', log: `${name} credentials without a token in base64` });

async function nextLeg(name: Name, pool: HelperPool, token: string, state: Reservation | undefined): Promise<Turn> {
  // A client may begin anew on its connection at any time.
  const opens = state === undefined || token.startsWith(NTLM_TYPE_1);
  if (opens && token.startsWith(NTLM_TYPE_3)) {
    return { kind: 'reject', log: 'an NTLM type 3 without a type 2 before it on this connection' };
  }
  if (state !== undefined && !state.held) return { kind: 'reject', log: `the ${name} handshake took too long` };
  const request = tokenRequest(opens ? 'YR' : 'KK', token);
  if (!request.ok) return { kind: 'malformed', log: `${name} credentials with ${request.why}` };
  if (state !== undefined) return turnOf(name, await state.ask(request.line), state);
  const reserved = await pool.reserve();
  if (!reserved.ok) return { kind: 'unavailable', log: reserved.why };
  const { reservation } = reserved;
  const turn = turnOf(name, await reservation.ask(request.line), reservation);
  if (turn.kind !== 'continue') reservation.release();
  return turn;
}

function turnOf(name: Name, answer: HelperAnswer, state: Reservation): Turn {
  if (!answer.ok) return { kind: 'unavailable', log: answer.why };
  const { reply } = answer;
  switch (reply.result) {
    case 'TT': {
      const token = reply.text.replace(/^token=/, '').split(' ', 1)[0] ?? '';
      if (isBase64(token)) return { kind: 'continue', challenge: withToken(name, token), state };
      return cannotTell(name, 'it said TT without a token in base64');
    }
    case 'AF':
      return accepted(name, reply, ...operandsOfAf(name, reply.text));
    case 'OK':
      return accepted(name, reply, note(reply, 'token'), note(reply, 'user') ?? '');
    case 'NA':
    case 'ERR':
      return rejected(name, reasonOf(reply));
    case 'BH': {
      const why = reasonOf(reply);
      return NO_SAID_AS_BH.test(why) ? rejected(name, why) : cannotTell(name, why);
    }
    default:
      return reply.result satisfies never;
  }
}

const rejected = (name: Name, why: string): Turn => ({ kind: 'reject', log: `the helper for ${name} says no: ${why}` });

const cannotTell = (name: Name, why: string): Turn => ({
  kind: 'unavailable',
  log: `the helper for ${name} cannot tell: ${why}`,
});

/** `AF user` of ntlm, where a user name may have spaces, and `AF token user` of negotiate. */
function operandsOfAf(name: Name, text: string): [token: string | undefined, user: string] {
  if (name === 'ntlm') return [undefined, text];
  const space = text.indexOf(' ');
  return space < 0 ? [undefined, text] : [text.slice(0, space), text.slice(space + 1).trimStart()];
}

function accepted(name: Name, reply: HelperReply, token: string | undefined, username: string): Turn {
  const principal = userOf(username, reply);
  if (principal === undefined) return cannotTell(name, 'it said yes without a user name that can be shown');
  // Negotiate ends with a token by which the client sees that the proxy is no impostor (RFC 4559 §5).
  const last =
    name === 'negotiate' && token !== undefined && !NO_TOKEN.has(token) && isBase64(token) ? token : undefined;
  if (last === undefined) return { kind: 'accept', principal };
  return { kind: 'accept', principal, epilogue: { info: new Map(), challenges: [withToken(name, last)] } };
}
