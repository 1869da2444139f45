import type { ClientExchange, ListenerOptions } from '@chain407/core';
import { explain, Listener } from '@chain407/core';

const LIMITS = {
  ...{ headerSize: 16_384, headerCount: 1000, connections: 100, connectionsPerClient: 0 },
  ...{ headerTimeout: 0, idleTimeout: 0, halfCloseTimeout: 0, drain: 0 },
};

/** A listener on a free port of 127.0.0.1, named `t`; without time limits, unless some are given. */
export const startListener = (
  handle: (exchange: ClientExchange) => unknown,
  limits: Partial<ListenerOptions['limits']> = {},
): Promise<Listener> =>
  Listener.start({
    tier: 't',
    listen: { host: '127.0.0.1', port: 0, tls: undefined },
    limits: { ...LIMITS, ...limits },
    handle: async (exchange) => void handle(exchange),
    refuse: ({ res }, why) => void explain(res, 't', why, { close: true }),
    onUnheard: () => undefined,
  });
