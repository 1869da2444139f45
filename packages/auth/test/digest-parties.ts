import { formatMessage, formatParams, parseChallenges, parseCredentials, parseParams } from '../src/grammar.ts';
import type { Challenge, Credentials } from '../src/message.ts';
import type { ClientRequestFacts, ClientTurn, Conclusion, Epilogue, VerifierTurn } from '../src/scheme.ts';
import type { DigestClientOptions, DigestState } from '../src/schemes/digest/client.ts';
import { digestClient } from '../src/schemes/digest/client.ts';
import { digestHa1, digestUserhash } from '../src/schemes/digest/response.ts';
import type { DigestVerifierOptions } from '../src/schemes/digest/verifier.ts';
import { digestVerifier } from '../src/schemes/digest/verifier.ts';
import { Secret } from '../src/secret.ts';

export const REQUEST: ClientRequestFacts = {
  method: 'GET',
  target: 'http://origin.test/a?b=c',
  peerHost: 'proxy.test',
};
/** 2026-01-02T03:04:05Z. */
export const NOW = 1_767_323_045_000;
export const MINUTE = 60_000;
export const REALM = 'Corporate proxy';

export interface TestUser {
  readonly username: string;
  readonly password: string;
}

export const ALICE: TestUser = { username: 'alice', password: 'open sesame' };

/** Bytes that count up, another run at each call. */
export function counting(from = 0): (bytes: number) => Uint8Array {
  let next = from;
  return (bytes) => Uint8Array.from({ length: bytes }, () => next++ % 256);
}

export const clientOf = ({ username, password }: TestUser = ALICE, options: DigestClientOptions = {}) =>
  digestClient({ username, password: new Secret(password) }, options, { entropy: counting(7) });

/** A tier, or one replica of it: the clock can be moved, `used` is the state that replicas share. */
export class Tier {
  now = NOW;
  readonly used: Set<string>;
  readonly verifier;
  /** What was asked of the ports, in order. */
  readonly calls: string[] = [];

  constructor(
    options: Partial<DigestVerifierOptions> = {},
    { user = ALICE, used = new Set<string>(), seed = 100 }: { user?: TestUser; used?: Set<string>; seed?: number } = {},
  ) {
    this.used = used;
    const realm = options.realm ?? REALM;
    this.verifier = digestVerifier(
      { realm, algorithms: ['SHA-256', 'MD5'], qop: ['auth'], key: new Secret('0123456789abcdef'), ...options },
      {
        entropy: counting(seed),
        clock: () => this.now,
        findAccount: (name, algorithm) => {
          this.calls.push('account');
          const { username, password } = user;
          const isUser =
            'username' in name
              ? name.username === username.normalize('NFC')
              : name.userhash === digestUserhash(algorithm, username, realm);
          if (!isUser) return undefined;
          return { principal: { name: username }, ha1: digestHa1(algorithm, username, realm, new Secret(password)) };
        },
        useCount: (nonce, nc) => {
          this.calls.push('count');
          const isFirst = !used.has(`${nonce} ${nc}`);
          used.add(`${nonce} ${nc}`);
          return isFirst;
        },
      },
    );
  }
}

/** Over the wire: as a line, and read again. */
export function acrossChallenges(challenges: readonly Challenge[]): Challenge[] {
  const parsed = parseChallenges(challenges.map(formatMessage));
  if (parsed.faults.length > 0) throw new Error(JSON.stringify(parsed.faults));
  return parsed.challenges;
}

export function acrossCredentials(credentials: Credentials): Credentials {
  const parsed = parseCredentials(formatMessage(credentials));
  if (!parsed.ok) throw new Error(parsed.fault.expected);
  return parsed.credentials;
}

function acrossEpilogue(epilogue: Epilogue | undefined): Epilogue | undefined {
  if (epilogue === undefined) return undefined;
  const info = parseParams(formatParams(epilogue.info, epilogue.bare));
  if (info === undefined) throw new Error('not read');
  return { info, challenges: [] };
}

export type Sent = Extract<ClientTurn<DigestState>, { kind: 'send' }>;

export function sentBy(turn: ClientTurn<DigestState>): Sent {
  if (turn.kind !== 'send') throw new Error(`${turn.reason}: ${turn.detail}`);
  return turn;
}

export type Client = ReturnType<typeof clientOf>;

/** The first answer to what a tier offers. */
export async function answerTo(
  tier: Pick<Tier, 'verifier'>,
  client: Client = clientOf(),
  request = REQUEST,
): Promise<Sent> {
  return sentBy(await client.answer(acrossChallenges(tier.verifier.offer()), request, undefined));
}

export async function resumed(client: Client, state: DigestState, request = REQUEST): Promise<Sent> {
  const resumption = client.resume?.(request, state);
  if (resumption === undefined) throw new Error('cannot be resumed');
  return sentBy(await resumption.turn);
}

/** What the tier says of these credentials. */
export async function judged(
  tier: Pick<Tier, 'verifier'>,
  { credentials }: Pick<Sent, 'credentials'>,
  request = REQUEST,
) {
  const turn: VerifierTurn<never> = await tier.verifier.judge(acrossCredentials(credentials), request, undefined);
  return turn;
}

export function accepted(turn: VerifierTurn<never>): Extract<VerifierTurn<never>, { kind: 'accept' }> {
  if (turn.kind !== 'accept') throw new Error(`${turn.kind}: ${'log' in turn ? turn.log : ''}`);
  return turn;
}

/** What the client makes of what an accepting tier says beside the answer. */
export async function concluded(
  client: Client,
  turn: VerifierTurn<never>,
  state: DigestState,
  request = REQUEST,
): Promise<Conclusion<DigestState> | undefined> {
  const epilogue = acrossEpilogue(accepted(turn).epilogue);
  return epilogue && (await client.conclude?.(epilogue, request, state));
}

/** One parameter set, or taken out by `undefined`. */
export function withParam<M extends Credentials | Challenge>(message: M, name: string, value: string | undefined): M {
  const params = new Map(message.params);
  if (value === undefined) params.delete(name);
  else params.set(name, value);
  return { ...message, params };
}
