export type { AddressRange, HostPattern, ListenAddress, PortRanges, ProxyUrl } from './config/address-fields.ts';
export { cidr, hostPattern, httpUrl, isLoopback, listenAddress, portRanges } from './config/address-fields.ts';
export type { Contradiction } from './config/contradictions.ts';
export { withoutContradictions } from './config/contradictions.ts';
export { duration, field, filePath, size } from './config/fields.ts';
export { limitFields } from './config/limit-fields.ts';
export type { Problem } from './config/problem.ts';
export { ConfigError, formatProblem } from './config/problem.ts';
export type { ReadSecret, SecretSource } from './config/secret-source.ts';
export { secretSource } from './config/secret-source.ts';
export { connectionTls } from './config/tls-fields.ts';
export type { ConfigTree, Path, Place, ReadTree } from './config/tree.ts';
export { configFromObject, readConfig } from './config/tree.ts';
export { fileProblem, whyUnreadable } from './config/unreadable.ts';
export type { Validated } from './config/validate.ts';
export { validate } from './config/validate.ts';
export type { Answer, SentLeg } from './exchange-record.ts';
export { ExchangeRecord, preciseNow } from './exchange-record.ts';
export { loop, malformed, stalledRequest } from './http/common-pages.ts';
export { dropRest } from './http/drain-request.ts';
export type { RawHeaders } from './http/headers.ts';
export {
  endToEnd,
  endToEndTrailers,
  formatHead,
  LENGTH,
  linesOf,
  listOf,
  pairsOf,
  upgradeFields,
  valuesOf,
} from './http/headers.ts';
export type { Informational } from './http/informational.ts';
export { inviteBody, relayInformational, waitsForInvitation } from './http/informational.ts';
export { answerAsRecipient, countForward, isFinalRecipient } from './http/max-forwards.ts';
export { MessageError } from './http/message-error.ts';
export { isIdempotent } from './http/methods.ts';
export { awaitsAddress, lookupName } from './http/name-lookup.ts';
export { asStream, connectWithOwnBuffers, takeBytes } from './http/own-buffers.ts';
export { REFUSALS } from './http/refusals.ts';
export { peekContent, StalledContent } from './http/request-content.ts';
export type { GuardVerdict, RequestBody, RequestKind } from './http/request-guard.ts';
export { guardRequest } from './http/request-guard.ts';
export type { ParsedTarget, RequestTarget } from './http/request-target.ts';
export { parseAuthority, parseConnectTarget, parseForwardTarget } from './http/request-target.ts';
export type { Framing, ResponseContext, ResponseHead } from './http/response-head.ts';
export type { ResponseEvent } from './http/response-reader.ts';
export { MAX_INFORMATIONAL, ResponseReader } from './http/response-reader.ts';
export type { Explanation, ProxyErrorType, SyntheticResponse } from './http/synthetic-response.ts';
export { explain, proxyStatus, synthesize } from './http/synthetic-response.ts';
export type { TunnelEnd, TunnelOptions, TunnelSide } from './http/tunnel.ts';
export { splice } from './http/tunnel.ts';
export { passedBefore, viaPseudonym } from './http/via.ts';
export type { Leg, LegFacts } from './legs.ts';
export { credentialsOf, outcomeOf, publishLeg, redactHeaders, subscribeLegs } from './legs.ts';
export type { ClientExchange } from './listener/client-exchange.ts';
export { onGone, responseUnderWay, SocketExchange } from './listener/client-exchange.ts';
export type { ListenerLimits, ListenerOptions } from './listener/listener.ts';
export { Listener } from './listener/listener.ts';
export { openFiles } from './listener/open-files.ts';
export type { Logger, LogLevel } from './logger.ts';
export { createLogger, LOG_LEVELS } from './logger.ts';
export { established, openTunnel } from './open-tunnel.ts';
export { answerOurselves, refuse } from './own-answer.ts';
export type { RunningTier, TierOptions } from './running-tier.ts';
export { runTier } from './running-tier.ts';
export { identityOf, onFileChange } from './secrets/file-change.ts';
export type { OpenedSecret, SecretOptions } from './secrets/live-secret.ts';
export { LiveSecret, openSecret } from './secrets/live-secret.ts';
export type { ReadOptions } from './secrets/read-source.ts';
export { readSource } from './secrets/read-source.ts';
export type { StateChannel } from './state-store/channel-store.ts';
export { ChannelStore, serveStateStore } from './state-store/channel-store.ts';
export { MemoryStore } from './state-store/memory-store.ts';
export { isStateUrl, MEMORY, openStateStore } from './state-store/open-state-store.ts';
export type { StateListener, StateStore } from './state-store/state-store.ts';
export type { ReadTls, SecuredAddress, TlsFiles, TlsMaterial } from './tls/tls-material.ts';
export { readListenerTls, readTls } from './tls/tls-material.ts';
