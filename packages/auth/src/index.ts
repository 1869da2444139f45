export type { ChainAction, ChainEvent, ChainState, ChainStep, Known, Unanswerable } from './client-chain.ts';
export { advance, clientChain } from './client-chain.ts';
export { CONTROLS, hasControls, printable } from './controls.ts';
export { decodeText } from './decode-text.ts';
export type { Described } from './describe.ts';
export { describeChallenge, describeCredentials } from './describe.ts';
export type { Clock, Entropy } from './entropy.ts';
export type { AuthErrorCode } from './errors.ts';
export { AuthError } from './errors.ts';
export type { GrammarFault, ParsedChallenges, ParsedCredentials } from './grammar.ts';
export {
  formatMessage,
  formatParams,
  parseChallenges,
  parseCredentials,
  parseParams,
  quote,
  spellScheme,
} from './grammar.ts';
export type { AuthMessage, Challenge, Credentials, SchemeName } from './message.ts';
export { withParams, withToken } from './message.ts';
export { unusableRealm } from './realm.ts';
export type {
  AuthInfo,
  Binding,
  ClientRequestFacts,
  ClientScheme,
  ClientTurn,
  Conclusion,
  Epilogue,
  MaybePromise,
  Principal,
  RefuseReason,
  RequestFacts,
  Resumption,
  VerifierScheme,
  VerifierTurn,
} from './scheme.ts';
export { isPromise, whenSettled } from './scheme.ts';
export { basicClient } from './schemes/basic/client.ts';
export type { CheckPassword, JudgePassword } from './schemes/basic/verifier.ts';
export { basicVerifier, basicVerifierBy } from './schemes/basic/verifier.ts';
export type { DecodedBasic, UserPass } from './schemes/basic/wire.ts';
export { basicChallenge, decodeBasic, encodeBasic, unusablePassword, unusableUserId } from './schemes/basic/wire.ts';
export type { BearerOptions, TokenSource } from './schemes/bearer/client.ts';
export { bearerClient } from './schemes/bearer/client.ts';
export type { CheckToken, TokenOwner } from './schemes/bearer/verifier.ts';
export { bearerVerifier } from './schemes/bearer/verifier.ts';
export { lacksScope, unusableToken } from './schemes/bearer/wire.ts';
export type { DigestAlgorithm, DigestHash } from './schemes/digest/algorithm.ts';
export { DIGEST_ALGORITHMS, DIGEST_HASHES, hashOf } from './schemes/digest/algorithm.ts';
export type { DigestClientOptions, DigestClientPorts } from './schemes/digest/client.ts';
export { digestClient } from './schemes/digest/client.ts';
export type { DigestName } from './schemes/digest/name.ts';
export { unusableUsername } from './schemes/digest/name.ts';
export { unusableNonceKey } from './schemes/digest/nonce.ts';
export { digestHa1, digestUserhash } from './schemes/digest/response.ts';
export type { DigestVerifierOptions, DigestVerifierPorts } from './schemes/digest/verifier.ts';
export { digestVerifier } from './schemes/digest/verifier.ts';
export type {
  NegotiateClientPorts,
  NegotiateOptions,
  SecurityContext,
  SecurityStep,
} from './schemes/negotiate/client.ts';
export { negotiateClient } from './schemes/negotiate/client.ts';
export { unusableSpn } from './schemes/negotiate/spn.ts';
export type { NtlmAccount, NtlmClientPorts } from './schemes/ntlm/client.ts';
export { ntlmClient } from './schemes/ntlm/client.ts';
export { ntHash, unusableNtHash } from './schemes/ntlm/crypto.ts';
export type { NtlmTarget, NtlmUser, NtlmVerifierOptions, NtlmVerifierPorts } from './schemes/ntlm/verifier.ts';
export { ntlmVerifier } from './schemes/ntlm/verifier.ts';
export { isConnectionBound } from './schemes/registry.ts';
export { MASK, Secret } from './secret.ts';
export type { AskReason, GateState, GateStep, Verdict } from './verifier-gate.ts';
export { challengeLines, VerifierGate } from './verifier-gate.ts';
