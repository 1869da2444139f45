import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { GateState, MaybePromise, Verdict, VerifierGate } from '@chain407/auth';
import { whenSettled } from '@chain407/auth';
import { valuesOf } from '@chain407/core';

/** The verdict on one request of one connection. */
export type Authenticate = (req: IncomingMessage) => MaybePromise<Verdict>;

/**
 * Ties the gate to connections: what a scheme remembers between legs (and, for a connection-bound scheme, who has logged
 * the connection in) lives and dies with the socket.
 */
export function authenticator(gate: VerifierGate, peerHost: string): Authenticate {
  const states = new WeakMap<Socket, GateState>();
  return (req) => {
    const { socket, method = '', url: target = '' } = req;
    const lines = valuesOf(req.rawHeaders, 'proxy-authorization');
    const step = gate.judge(lines, { method, target, peerHost }, states.get(socket));
    return whenSettled(step, ({ verdict, state }) => {
      if (state === undefined) states.delete(socket);
      else states.set(socket, state);
      return verdict;
    });
  };
}
