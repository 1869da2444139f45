import type { ServerResponse } from 'node:http';
import type { Epilogue, MaybePromise, Verdict } from '@chain407/auth';
import { challengeLines, formatParams, isPromise, VerifierGate } from '@chain407/auth';
import type {
  ClientExchange,
  ExchangeRecord,
  Explanation,
  Logger,
  RequestBody,
  RequestTarget,
  RunningTier,
  SecuredAddress,
  TunnelEnd,
  TunnelOptions,
} from '@chain407/core';
import {
  answerAsRecipient,
  answerOurselves,
  guardRequest,
  isFinalRecipient,
  loop,
  malformed,
  passedBefore,
  refuse,
  runTier,
  StalledContent,
  stalledRequest,
  viaPseudonym,
} from '@chain407/core';
import { decide } from './access.ts';
import type { Authenticate } from './authenticate.ts';
import { authenticator } from './authenticate.ts';
import type { UpstreamConfig } from './config.ts';
import { tunnel } from './origin/connect.ts';
import { Destinations } from './origin/destination.ts';
import { forward } from './origin/forward.ts';
import { originHeaders } from './origin/origin-request.ts';
import { upgrade } from './origin/upgrade.ts';
import type { Outcome } from './outcome.ts';
import { askPage, deniedPage, portPage, tooLargePage, unavailablePage } from './pages.ts';
import { codeOf, rescue } from './rescue.ts';
import type { VerifierParts } from './schemes.ts';
import { createVerifiers } from './schemes.ts';
import type { Tier } from './tier.ts';
import { TIER } from './tier.ts';
import type { User } from './users/user-store.ts';

/** An upstream that runs. */
export type Upstream = RunningTier;

/** A valid configuration and what it refers to, read. */
export interface Assembly extends VerifierParts {
  readonly config: UpstreamConfig;
  readonly listen: SecuredAddress;
  /** Ends what was started for it. */
  readonly close: () => Promise<void>;
}

type NotAdmitted = Exclude<Verdict, { kind: 'admitted' }>;

/** A target that leads somewhere. */
type Place = Exclude<RequestTarget, { form: 'asterisk' }>;

/** Bytes of a request that are held where Digest hashes it (`auth-int`). */
const MAX_CONTENT = 1024 * 1024;

/** Listens; rejects with Node's error where the address cannot be had. */
export function serve(assembly: Assembly, logger: Logger): Promise<Upstream> {
  const { listen } = assembly;
  const { limits } = assembly.config;
  const pseudonym = viaPseudonym(TIER);
  const tier = new UpstreamTier(assembly, pseudonym, logger);
  return runTier({
    ...{ role: 'upstream', name: TIER, pseudonym, listen, limits, logger },
    take: (exchange, record) => tier.take(exchange, record),
    release: () => tier.close(),
  });
}

/** With whatever answer it will be, of ours or of the origin (RFC 9110 §11.7.3, RFC 4559 §5). */
function say(res: ServerResponse, { info, bare, challenges }: Epilogue): void {
  if (info.size > 0) res.setHeader('Proxy-Authentication-Info', formatParams(info, bare));
  if (challenges.length > 0) res.setHeader('Proxy-Authenticate', challengeLines(challenges));
}

/** The one way down: guard → loop → gate → final recipient → access → ports → destination → origin. */
class UpstreamTier implements Tier {
  readonly pseudonym: string;
  readonly limits: UpstreamConfig['limits'];
  readonly tunnel: TunnelOptions;
  readonly #assembly: Assembly;
  readonly #config: UpstreamConfig;
  readonly #logger: Logger;
  readonly #gate: VerifierGate;
  readonly #authenticate: Authenticate;
  readonly #destinations: Destinations;

  constructor(assembly: Assembly, pseudonym: string, logger: Logger) {
    const { config } = assembly;
    this.#assembly = assembly;
    this.#config = config;
    this.pseudonym = pseudonym;
    this.limits = config.limits;
    this.#logger = logger;
    this.#gate = new VerifierGate(createVerifiers(assembly));
    this.#authenticate = authenticator(this.#gate, MAX_CONTENT, config.limits.responseTimeout);
    this.#destinations = new Destinations(config.hosts, config.private);
    const { tunnelIdleTimeout, tunnelHalfCloseTimeout } = config.limits;
    this.tunnel = { idleTimeout: tunnelIdleTimeout, halfCloseTimeout: tunnelHalfCloseTimeout };
  }

  close(): Promise<void> {
    this.#destinations.close();
    return this.#assembly.close();
  }

  async take(exchange: ClientExchange, record: ExchangeRecord): Promise<TunnelEnd | undefined> {
    const { req, kind } = exchange;
    const { method = '' } = req;
    const answerer = { tier: TIER, exchange, record };
    const guarded = guardRequest(req, kind);
    if (!guarded.ok) return refuse(answerer, malformed(400, guarded.why), true);
    const { target, body } = guarded;
    if (passedBefore(req.rawHeaders, this.pseudonym)) return refuse(answerer, loop());

    const verdict = this.#config.auth.anonymous ? undefined : await this.#verdict(exchange, body);
    if (verdict === 'stalled') {
      record.note({ error: 'http_request_error' });
      return answerOurselves(answerer, stalledRequest(), true);
    }
    if (verdict !== undefined && verdict.kind !== 'admitted') {
      const { explanation, close } = this.#turnAway(verdict, record);
      return answerOurselves(answerer, explanation, close);
    }
    if (verdict?.epilogue !== undefined) say(exchange.res, verdict.epilogue);
    const user = verdict?.principal as User | undefined;
    if (user !== undefined) record.note({ user: user.name });

    if (target.form === 'asterisk' || isFinalRecipient(method, target, req.rawHeaders)) {
      record.answered(answerAsRecipient(req, exchange.res));
      return undefined;
    }
    const refusal = this.#refusal(target, method, user, req.socket.remoteAddress ?? '');
    if (refusal !== undefined) return refuse(answerer, refusal);
    if (req.socket.destroyed) return undefined;
    const outcome = await this.#pass(exchange, record, target, body);
    if (outcome.kind === 'tunnel') return outcome.end;
    if (outcome.kind === 'cut') record.note({ error: codeOf(outcome.error) });
    if (outcome.kind !== 'failed') return undefined;
    const explanation = rescue(outcome.error, target.authority, this.#logger);
    record.note({ error: explanation.error });
    return answerOurselves(answerer, explanation, explanation.status === 408);
  }

  /** `stalled`: the content that the credentials are to cover did not come in time. */
  #verdict(exchange: ClientExchange, body: RequestBody): MaybePromise<Verdict | 'stalled'> {
    const verdict = this.#authenticate(exchange, body);
    if (!isPromise(verdict)) return verdict;
    return verdict.catch((error: unknown) => {
      if (error instanceof StalledContent) return 'stalled';
      throw error;
    });
  }

  /** Nobody was recognised: what the client is told, and whether its connection ends with that. */
  #turnAway(verdict: NotAdmitted, record: ExchangeRecord): { explanation: Explanation; close: boolean } {
    switch (verdict.kind) {
      case 'malformed':
        record.note({ refused: verdict.log });
        return { explanation: malformed(400, verdict.log), close: true };
      case 'too-large':
        record.note({ refused: verdict.log });
        return { explanation: tooLargePage(MAX_CONTENT), close: true };
      case 'unavailable':
        record.note({ error: 'auth-unavailable' });
        this.#logger.error(verdict.log);
        return { explanation: unavailablePage(), close: false };
      case 'ask':
        record.note({ refused: verdict.log, ...(verdict.user === undefined ? {} : { user: verdict.user }) });
        return { explanation: askPage(verdict), close: false };
      default:
        return verdict satisfies never;
    }
  }

  /** The page for a request that may not be made, by rule or by port. */
  #refusal(target: Place, method: string, user: User | undefined, from: string): Explanation | undefined {
    const { access, ports } = this.#config;
    const { host, port } = target;
    const decision = decide(access, { user, from, host, port, method, now: new Date() });
    if (!decision.allow) {
      const challenges = challengeLines(this.#gate.offer());
      return deniedPage(decision.status, user?.name, decision.why, challenges);
    }
    if (!ports.any.contains(port)) return portPage(port, 'any request');
    return target.form === 'authority' && !ports.connect.contains(port) ? portPage(port, 'CONNECT') : undefined;
  }

  async #pass(exchange: ClientExchange, record: ExchangeRecord, target: Place, body: RequestBody): Promise<Outcome> {
    const destination = this.#destinations.find(target.host, target.port);
    if (destination.prohibited !== undefined) return { kind: 'failed', error: destination.prohibited };
    if (target.form === 'authority') {
      if (exchange.kind !== 'connect') throw new TypeError('an authority is the target of CONNECT alone');
      return tunnel(this, exchange, target, destination, record);
    }
    const { req } = exchange;
    const { method = '' } = req;
    const headers = originHeaders(req, target, body, `${req.httpVersion} ${this.pseudonym}`);
    const asked = { method, target, body, headers, destination };
    return exchange.kind === 'request'
      ? forward(this, req, exchange.res, asked, record)
      : upgrade(this, exchange, asked, record);
  }
}
