/** A message that cannot be read in exactly one way. Always the peer's fault; the connection cannot be used again. */
export class MessageError extends Error {
  override readonly name = 'MessageError';
  /** What is wrong, for `Proxy-Status` and the log; holds nothing of the message itself. */
  readonly code:
    | 'head-too-large'
    | 'malformed-head'
    | 'malformed-framing'
    | 'malformed-chunk'
    | 'unexpected-upgrade'
    | 'truncated';

  constructor(code: MessageError['code'], message: string) {
    super(message);
    this.code = code;
  }
}
