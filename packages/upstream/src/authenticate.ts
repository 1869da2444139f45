import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { GateState, MaybePromise, RequestFacts, Verdict, VerifierGate } from '@chain407/auth';
import { whenSettled } from '@chain407/auth';
import type { RequestBody } from '@chain407/core';
import { peekContent, valuesOf } from '@chain407/core';

/** The verdict on one request of one connection. */
export type Authenticate = (req: IncomingMessage, body: RequestBody) => MaybePromise<Verdict>;

/**
 * Ties the gate to connections: what a scheme remembers between legs (and, for a connection-bound scheme, who has logged
 * the connection in) lives and dies with the socket. `maxContent`: bytes of a request that are held for a scheme that
 * hashes it.
 */
export function authenticator(gate: VerifierGate, peerHost: string, maxContent: number): Authenticate {
  const states = new WeakMap<Socket, GateState>();
  const known = new WeakSet<Socket>();
  const remember = (socket: Socket, state: GateState): void => {
    states.set(socket, state);
    if (known.has(socket)) return;
    known.add(socket);
    socket.once('close', () => gate.drop(states.get(socket)));
  };
  return (req, body) => {
    const { socket, method = '', url: target = '' } = req;
    const lines = valuesOf(req.rawHeaders, 'proxy-authorization');
    const facts: RequestFacts = { method, target, peerHost };
    const request = body.kind === 'none' ? facts : { ...facts, content: () => peekContent(req, maxContent) };
    const before = states.get(socket);
    const step = gate.judge(lines, request, before);
    return whenSettled(step, ({ verdict, state }) => {
      if (state === undefined) states.delete(socket);
      else if (state !== before) remember(socket, state);
      // The client left while it was judged: nobody else will end a handshake.
      if (socket.destroyed) gate.drop(state);
      return verdict;
    });
  };
}
