import type { Socket } from 'node:net';
import type { GateState, MaybePromise, RequestFacts, Verdict, VerifierGate } from '@chain407/auth';
import { whenSettled } from '@chain407/auth';
import type { ClientExchange, RequestBody } from '@chain407/core';
import { inviteBody, peekContent, valuesOf } from '@chain407/core';
import { GOOD_FOR } from './users/good-answers.ts';

/** The verdict on one request of one connection. */
export type Authenticate = (exchange: ClientExchange, body: RequestBody) => MaybePromise<Verdict>;

/** Constant credentials that were good on a connection, and need not be looked at again. */
interface Admitted {
  readonly line: string;
  readonly verdict: Verdict;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/**
 * Ties the gate to connections: what a scheme remembers between legs (and, for a connection-bound scheme, who has logged
 * the connection in) lives and dies with the socket. `maxContent`: bytes of a request that are held for a scheme that
 * hashes it, `patience`: milliseconds without a byte of it, after which the verdict rejects with `StalledContent`.
 */
export function authenticator(gate: VerifierGate, maxContent: number, patience: number): Authenticate {
  const states = new WeakMap<Socket, GateState>();
  const known = new WeakSet<Socket>();
  const admitted = new WeakMap<Socket, Admitted>();
  const remember = (socket: Socket, state: GateState): void => {
    states.set(socket, state);
    if (known.has(socket)) return;
    known.add(socket);
    socket.once('close', () => gate.drop(states.get(socket)));
  };
  return (exchange, body) => {
    const { req } = exchange;
    const { socket, method = '', url: target = '' } = req;
    const lines = valuesOf(req.rawHeaders, 'proxy-authorization');
    // Whoever has the connection has been admitted with this very line: to compare it tells nobody anything.
    const before = states.has(socket) ? undefined : admitted.get(socket);
    if (before !== undefined && lines.length === 1 && lines[0] === before.line && Date.now() < before.until)
      return before.verdict;
    const facts: RequestFacts = { method, target };
    const content = (): Promise<Buffer | undefined> => {
      inviteBody(exchange.res);
      return peekContent(req, maxContent, patience);
    };
    const request = body.kind === 'none' ? facts : { ...facts, content };
    const state = states.get(socket);
    const step = gate.judge(lines, request, state);
    return whenSettled(step, ({ verdict, state: next }) => {
      if (next === undefined) states.delete(socket);
      else if (next !== state) remember(socket, next);
      if (verdict.kind === 'admitted' && verdict.constant) {
        admitted.set(socket, { line: lines[0] ?? '', verdict, until: Date.now() + GOOD_FOR });
      }
      // The client left while it was judged: nobody else will end a handshake.
      if (socket.destroyed) gate.drop(next);
      return verdict;
    });
  };
}
