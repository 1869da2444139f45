import type {
  ClientExchange,
  ExchangeRecord,
  Explanation,
  ListenerLimits,
  Logger,
  RequestTarget,
  RunningTier,
  SecuredAddress,
  TunnelEnd,
} from '@chain407/core';
import {
  answerAsRecipient,
  guardRequest,
  isFinalRecipient,
  loop,
  malformed,
  passedBefore,
  refuse,
  runTier,
  viaPseudonym,
} from '@chain407/core';
import type { Runtime } from './exchange.ts';
import { Exchange } from './exchange.ts';
import type { ConnectionOptions } from './hop/upstream-connection.ts';
import type { Hop } from './negotiation/attempt.ts';
import { Spares } from './negotiation/spares.ts';
import { deniedByRoute, deniedClient } from './pages.ts';
import type { Route } from './routes.ts';
import { pickRoute } from './routes.ts';

/** Stands in pages and `Proxy-Status`. */
export const TIER = 'chain407-downstream';

/** A downstream that runs. */
export type Downstream = RunningTier;

/** What `assemble` makes of a configuration. */
export interface Assembly {
  readonly listen: SecuredAddress;
  readonly limits: ListenerLimits;
  readonly admits: (address: string) => boolean;
  readonly routes: readonly Route[];
  /** Limits of a connection to an origin, on direct routes. */
  readonly direct: Omit<ConnectionOptions, 'host' | 'port'> & { readonly idleTimeout: number };
  readonly runtime: Omit<Runtime, 'pseudonym' | 'tier' | 'spares'>;
  /** Ends what follows the secrets. */
  readonly close: () => void;
}

/** Listens; rejects with Node's error where the address cannot be had. */
export function serve(assembly: Assembly, logger: Logger): Promise<Downstream> {
  const pseudonym = viaPseudonym(TIER);
  const spares = new Spares({ pool: assembly.runtime.pool, by: pseudonym, now: Date.now, logger });
  const runtime: Runtime = { ...assembly.runtime, tier: TIER, pseudonym, spares };
  const { listen, limits } = assembly;
  return runTier({
    ...{ role: 'downstream', name: TIER, pseudonym, listen, limits, logger },
    take: (client, record) => take(assembly, runtime, client, record),
    release: () => {
      runtime.spares.close();
      runtime.pool.close();
      assembly.close();
    },
  });
}

/** Guard → who is the client → final recipient → loop → route → exchange. */
async function take(
  assembly: Assembly,
  runtime: Runtime,
  client: ClientExchange,
  record: ExchangeRecord,
): Promise<TunnelEnd | undefined> {
  const { req, kind } = client;
  const answer = (explanation: Explanation, close = false): undefined =>
    refuse({ tier: TIER, exchange: client, record }, explanation, close);
  const verdict = guardRequest(req, kind);
  if (!verdict.ok) return answer(malformed(400, verdict.why), true);
  const address = req.socket.remoteAddress ?? '';
  if (!assembly.admits(address)) return answer(deniedClient(address));
  const { target, body } = verdict;
  if (target.form === 'asterisk' || isFinalRecipient(req.method ?? '', target, req.rawHeaders)) {
    record.answered(answerAsRecipient(req, client.res));
    return undefined;
  }
  if (passedBefore(req.rawHeaders, runtime.pseudonym)) return answer(loop());
  const route = pickRoute(assembly.routes, target.host, target.port);
  const exchange = (): Exchange => new Exchange(runtime, client, record, target, body);
  switch (route.via.kind) {
    case 'deny':
      return answer(deniedByRoute(target.authority));
    case 'direct':
      if (target.form === 'absolute' && target.scheme === 'https')
        return answer(malformed(400, 'https goes through CONNECT'));
      return target.form === 'authority'
        ? exchange().tunnel(directHop(assembly, target))
        : exchange().run([directHop(assembly, target)], 'none');
    case 'upstreams': {
      const upstreams = runtime.failover.order(route.via.upstreams);
      return exchange().run(
        upstreams.map((upstream) => ({ upstream, direct: false })),
        route.identity,
      );
    }
    default:
      return route.via satisfies never;
  }
}

function directHop({ direct }: Assembly, { host, port, authority }: Exclude<RequestTarget, { form: 'asterisk' }>): Hop {
  const connection: ConnectionOptions = { ...direct, host, port };
  return {
    direct: true,
    upstream: { name: authority, connection, idleTimeout: direct.idleTimeout, spare: 0, credential: undefined },
  };
}
