import type { Credentials } from '../../message.ts';
import { withParams } from '../../message.ts';
import type { DigestAlgorithm } from './algorithm.ts';
import { findAlgorithm, hexLength } from './algorithm.ts';
import { findQop, optional, shown } from './challenge.ts';
import type { DigestName } from './name.ts';
import { readName } from './name.ts';
import type { Protection } from './response.ts';

/** Digest credentials (RFC 7616 §3.4). Texts but for the name are as on the wire: one character a byte. */
export interface DigestCredentials {
  readonly name: DigestName;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  /** Lower-case hex, as long as the hash. */
  readonly response: string;
  readonly algorithm: DigestAlgorithm;
  readonly opaque?: string;
  /** Absent: without qop, as RFC 2069 has it. */
  readonly protection?: Protection;
}

/** `unknown`: may be well formed, but by an algorithm or `qop` that nobody here speaks. */
export type ReadCredentials =
  | { readonly ok: true; readonly credentials: DigestCredentials }
  | { readonly ok: false; readonly reason: 'malformed' | 'unknown'; readonly why: string };

/** What is written: the name as {@link nameParams} made it, the algorithm as the challenge spelled it. */
export interface SentCredentials extends Omit<DigestCredentials, 'name' | 'algorithm'> {
  readonly name: readonly (readonly [string, string])[];
  readonly algorithmName?: string | undefined;
}

/** RFC 7616 §3.4 has these without quotes. */
const BARE: ReadonlySet<string> = new Set(['username*', 'algorithm', 'nc', 'qop', 'userhash']);
/** Of a nonce, a cnonce and a name; what is in use stays below 300 (curl's own tests try 450). */
const MAX_LENGTH = 1024;
const NONCE_COUNT = /^[0-9a-f]{8}$/i;
const HEX = /^[0-9a-f]*$/i;

/** In the order of the RFC's examples (§3.9). */
export function encodeCredentials(sent: SentCredentials): Credentials {
  const { name, realm, uri, algorithmName, nonce, protection, response, opaque } = sent;
  const params: readonly (readonly [string, string])[] = [
    ...name,
    ['realm', realm],
    ['uri', uri],
    ...optional('algorithm', algorithmName),
    ['nonce', nonce],
    ...optional('nc', protection?.nc),
    ...optional('cnonce', protection?.cnonce),
    ...optional('qop', protection?.qop),
    ['response', response],
    ...optional('opaque', opaque),
  ];
  return withParams('digest', params, BARE);
}

/** A complaint, on its way to the one place that makes it an outcome. */
class Fault {
  readonly reason: 'malformed' | 'unknown';
  readonly why: string;

  constructor(reason: 'malformed' | 'unknown', why: string) {
    this.reason = reason;
    this.why = why;
  }
}

/** Reads strictly: a verifier owes nothing to what is not as the RFC has it. Never throws. */
export function readCredentials({ params }: Credentials): ReadCredentials {
  const read = readFields(params);
  return read instanceof Fault ? { ok: false, reason: read.reason, why: read.why } : { ok: true, credentials: read };
}

function readFields(params: ReadonlyMap<string, string>): DigestCredentials | Fault {
  const [realm, nonce, uri, response, opaque] = ['realm', 'nonce', 'uri', 'response', 'opaque'].map((name) =>
    params.get(name),
  );
  if (realm === undefined) return new Fault('malformed', 'no realm');
  if (nonce === undefined) return new Fault('malformed', 'no nonce');
  if (uri === undefined) return new Fault('malformed', 'no uri');
  if (response === undefined) return new Fault('malformed', 'no response');
  if (nonce.length > MAX_LENGTH) return new Fault('malformed', `a nonce of over ${MAX_LENGTH} bytes`);
  const algorithmName = params.get('algorithm');
  const algorithm = findAlgorithm(algorithmName ?? 'MD5');
  if (algorithm === undefined) return new Fault('unknown', `unknown algorithm ${shown(algorithmName ?? '')}`);
  if (response.length !== hexLength(algorithm) || !HEX.test(response)) {
    return new Fault('malformed', `a response that is not ${hexLength(algorithm)} hexadecimal digits (${algorithm})`);
  }
  const name = readName(params, algorithm, MAX_LENGTH);
  if (!name.ok) return new Fault('malformed', name.why);
  const protection = readProtection(params);
  if (protection instanceof Fault) return protection;
  return {
    name: name.name,
    realm,
    nonce,
    uri,
    response: response.toLowerCase(),
    algorithm,
    ...(opaque === undefined ? {} : { opaque }),
    ...(protection === undefined ? {} : { protection }),
  };
}

/** RFC 7616 §3.4: `cnonce` and `nc` are there with `qop` and never without. */
function readProtection(params: ReadonlyMap<string, string>): Protection | Fault | undefined {
  const [qopName, nc, cnonce] = ['qop', 'nc', 'cnonce'].map((name) => params.get(name));
  if (qopName === undefined) {
    return nc === undefined && cnonce === undefined ? undefined : new Fault('malformed', 'nc or cnonce without qop');
  }
  const qop = findQop(qopName);
  if (qop === undefined) return new Fault('unknown', `unknown qop ${shown(qopName)}`);
  if (nc === undefined) return new Fault('malformed', 'qop without nc');
  if (cnonce === undefined) return new Fault('malformed', 'qop without cnonce');
  if (!NONCE_COUNT.test(nc)) return new Fault('malformed', 'an nc that is not 8 hexadecimal digits');
  if (Number.parseInt(nc, 16) === 0) return new Fault('malformed', 'an nc of 0: counts begin at 1');
  if (cnonce.length > MAX_LENGTH) return new Fault('malformed', `a cnonce of over ${MAX_LENGTH} bytes`);
  return { qop, nc, cnonce };
}
