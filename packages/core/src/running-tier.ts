import { ExchangeRecord } from './exchange-record.ts';
import { internalError } from './http/common-pages.ts';
import type { Explanation } from './http/synthetic-response.ts';
import type { TunnelEnd } from './http/tunnel.ts';
import type { ClientExchange } from './listener/client-exchange.ts';
import type { ListenerLimits } from './listener/listener.ts';
import { Listener } from './listener/listener.ts';
import type { Unheard } from './listener/unparsable.ts';
import type { Logger } from './logger.ts';
import { frequentLogger } from './logger.ts';
import { answerOurselves, refuse } from './own-answer.ts';
import type { SecuredAddress } from './tls/tls-material.ts';

/** A tier that runs. */
export interface RunningTier {
  readonly url: string;
  readonly port: number;
  /** Client connections that are open, tunnels included. */
  readonly connections: number;
  /** The `Via` pseudonym: legs carry it as `by`. */
  readonly pseudonym: string;
  /**
   * Takes nothing new, lets what is under way finish within the drain limit; what it has to cut, it logs. The limit counts from
   * `since` (Unix time in milliseconds; now): where tiers end one after the other, they have it together.
   */
  close(since?: number): Promise<void>;
  /** Cuts everything. */
  kill(): Promise<void>;
}

export interface TierOptions {
  readonly role: 'downstream' | 'upstream';
  /** Stands in pages and `Proxy-Status`. */
  readonly name: string;
  readonly pseudonym: string;
  readonly listen: SecuredAddress;
  readonly limits: ListenerLimits;
  readonly logger: Logger;
  /** Answers one exchange; resolves when that is done, with how its tunnel ended where it had one. */
  readonly take: (exchange: ClientExchange, record: ExchangeRecord) => Promise<TunnelEnd | undefined>;
  /** Lets go of what outlives exchanges: connections that are kept. */
  readonly release: () => void | Promise<void>;
}

/**
 * What both tiers are around their one way down: a listener, a record and a log line per exchange, and an answer where
 * the tier itself is at fault. Rejects with Node's error where the address cannot be had.
 */
export async function runTier(options: TierOptions): Promise<RunningTier> {
  const { role, name, pseudonym, listen, limits, logger, take, release } = options;
  const accessLog = frequentLogger(logger);
  const handle = (exchange: ClientExchange): Promise<void> => {
    const record = new ExchangeRecord(exchange, role, pseudonym);
    return take(exchange, record).then(
      (tunnel) => record.log(accessLog, tunnel),
      (error: unknown) => {
        // Whatever gets here is a bug: the client is told, and the log has the stack.
        logger.error({ exchange: record.id, err: error }, 'internal error');
        answerOurselves({ tier: name, exchange, record }, internalError(), true);
        record.log(accessLog);
      },
    );
  };
  const turnAway = (exchange: ClientExchange, why: Explanation): void => {
    const record = new ExchangeRecord(exchange, role, pseudonym);
    refuse({ tier: name, exchange, record }, why, true);
    record.log(accessLog);
  };
  const onUnheard = (unheard: Unheard): void => accessLog.info(unheard, 'request not read');
  const listener = await Listener.start({ tier: name, listen, limits, handle, refuse: turnAway, onUnheard });
  const drain = async (since: number | undefined): Promise<void> => {
    const cut = await listener.close(since);
    const what = cut === 1 ? '1 connection that was' : `${cut} connections that were`;
    if (cut > 0) logger.warn(`cut ${what} not finished within limits.drain (${limits.drain} ms)`);
  };
  return {
    url: listener.url,
    port: listener.port,
    pseudonym,
    get connections() {
      return listener.connections;
    },
    close: (since) =>
      drain(since)
        .finally(release)
        .then(() => listener.settled()),
    kill: () => listener.kill().finally(release),
  };
}
